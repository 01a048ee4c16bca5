/**
 * `imatrix-memory-manager/systemd`: tells systemd that the program is ready, that it lives, and that it ends.
 *
 * Node has no datagram sockets of the unix kind, so each message is sent by `systemd-notify`, which comes with systemd. That is
 * a process of its own: the unit says `NotifyAccess=all`. A program whose event loop stands still, or that says it is not well,
 * sends nothing, and systemd starts it anew. Where systemd has not asked for messages nothing is done at all.
 */
import { execFile } from 'node:child_process';

export interface ServiceNotifierOptions {
  /** Asked before each sign of life; false, or a throw, withholds it. Default: always well. */
  readonly isWell?: () => boolean;
  /** Told when a message could not be sent. Default: a line on standard error. */
  readonly onTrouble?: (message: string) => void;
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface ServiceNotifier {
  /** Milliseconds between two signs of life; null when the unit has no watchdog for this process. */
  readonly everyMs: number | null;
  /** Call it when the store is open: the unit counts as started, and signs of life begin. */
  ready(): Promise<void>;
  /** Call it before the store is closed. Signs of life end, and with them the timer. */
  stopping(): Promise<void>;
}

const COMMAND = 'systemd-notify';
/** A message that is not taken by then is late for the next one. */
const SEND_MS_MAX = 10_000;
const US_IN_MS = 1_000;

/** What systemd says of a watchdog; null when there is none, or it is another process's. */
function periodOf(environment: Readonly<Record<string, string | undefined>>): number | null {
  const { WATCHDOG_USEC: limitUs, WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== `${process.pid}`) return null;
  if (limitUs === undefined || !/^[1-9]\d*$/.test(limitUs)) return null;
  // Twice within the limit, as sd_watchdog_enabled(3) advises.
  return Math.max(1, Math.floor(Number(limitUs) / US_IN_MS / 2));
}

/** Never throws: a program goes on without its service manager. Nothing it does keeps the process alive. */
export function serviceNotifier(options: ServiceNotifierOptions = {}): ServiceNotifier {
  const { isWell = () => true, environment = process.env } = options;
  const { onTrouble = (message: string) => void process.stderr.write(`${message}\n`) } = options;
  const isAsked = (environment.NOTIFY_SOCKET ?? '') !== '';
  const everyMs = isAsked ? periodOf(environment) : null;
  let timer: NodeJS.Timeout | undefined;

  const send = (...args: readonly string[]): Promise<void> =>
    new Promise((done) => {
      if (!isAsked) {
        done();
        return;
      }
      execFile(COMMAND, args, { env: { ...environment }, timeout: SEND_MS_MAX }, (error) => {
        if (error !== null) onTrouble(`systemd was not told ${args.join(' ')}: ${troubleOf(error)}`);
        done();
      });
    });

  const signOfLife = (): void => {
    try {
      if (isWell()) void send('WATCHDOG=1');
      else onTrouble('the program is not well: systemd is given no sign of life');
    } catch (error) {
      onTrouble(`the program could not say whether it is well (${String(error)}): systemd is given no sign of life`);
    }
  };

  return {
    everyMs,
    async ready() {
      await send('--ready');
      if (everyMs === null || timer !== undefined) return;
      timer = setInterval(signOfLife, everyMs);
      timer.unref();
    },
    async stopping() {
      clearInterval(timer);
      timer = undefined;
      await send('STOPPING=1');
    },
  };
}

function troubleOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? `there is no ${COMMAND}; install systemd's tools, or take Type=notify and WatchdogSec out of the unit`
    : error.message.trim().replace(/\s*\n\s*/g, '; ');
}
