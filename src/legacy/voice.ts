/**
 * What no code can say: lines for the log that the configuration asks for, and for the application's own log provider.
 * A provider that throws disturbs no call.
 */
import type { StoreEvent } from '../announcer.ts';
import type { LogLevel } from '../config/keys.ts';
import { lineOfEvent } from '../log/event-log.ts';
import type { Log, LogFields } from '../log/log.ts';
import { lineOf } from '../log/log.ts';
import type { LogProvider } from './options.ts';

export class Voice {
  readonly #log: Log | null;
  readonly #provider: LogProvider | null;
  /** A call that is refused a hundred times a second for one reason is one line. */
  #last = '';

  constructor(log: Log | null, provider: LogProvider | null) {
    this.#log = log;
    this.#provider = provider;
  }

  say(level: LogLevel, event: string, fields: LogFields): void {
    const line = lineOf(event, fields);
    if (line === this.#last) return;
    this.#last = line;
    this.#log?.write(level, event, fields);
    try {
      this.#provider?.(level, line);
    } catch {
      // Nobody is left to tell that the provider itself fails, and no call may throw for it.
    }
  }

  /** For the store's announcements. */
  readonly hear = (announced: StoreEvent): void => {
    const { level, event, fields } = lineOfEvent(announced);
    this.say(level, event, fields);
  };

  /** Resolves when every line has been handed to the system. */
  async end(): Promise<void> {
    await this.#log?.close();
  }
}
