/**
 * imatrix-memory-manager/systemd: a program under systemd says that it is ready, that it is alive, and that it stops.
 *
 * The messages go to a datagram socket that Node cannot open without native code, so each is sent by systemd's own
 * `systemd-notify`; the unit needs `NotifyAccess=all`. Outside of systemd nothing is done. The watchdog is fed only while
 * `isAlive` says so: a program whose store has failed is restarted.
 */
import { spawn } from 'node:child_process';

export interface NotifyOptions {
  /** Asked before each sign of life. Default: always. */
  readonly isAlive?: () => boolean;
  /** What systemd says to the program. Default: the environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Hears why a message could not be sent. Default: standard error. */
  readonly onError?: (message: string) => void;
}

export interface Notifier {
  /** Milliseconds between two signs of life; null: no watchdog was asked for. */
  readonly everyMs: number | null;
  /** The store is open. */
  ready(): Promise<void>;
  /** No more signs of life; the program saves and ends. */
  stopping(): Promise<void>;
}

const US_PER_MS = 1_000;
/** Signs of life in the time of the watchdog, as systemd advises. */
const SIGNS = 2;

export function notifier(options: NotifyOptions = {}): Notifier {
  const { environment = process.env, isAlive = () => true } = options;
  const onError = options.onError ?? ((message: string): void => console.error(message));
  const asked = environment.NOTIFY_SOCKET !== undefined && environment.NOTIFY_SOCKET !== '';
  const watchdogUs = Number(environment.WATCHDOG_USEC);
  // The variable may be inherited from a parent that was meant.
  const isMeant = environment.WATCHDOG_PID === undefined || Number(environment.WATCHDOG_PID) === process.pid;
  const everyMs =
    asked && isMeant && Number.isSafeInteger(watchdogUs) && watchdogUs > 0
      ? Math.max(1, Math.floor(watchdogUs / US_PER_MS / SIGNS))
      : null;
  let timer: NodeJS.Timeout | undefined;
  const send = async (...messages: readonly string[]): Promise<void> => {
    if (asked) await sendAll(messages, environment, onError);
  };
  return {
    everyMs,
    ready: async () => {
      await send('READY=1', `MAINPID=${process.pid}`);
      if (everyMs === null) return;
      timer = setInterval(() => {
        if (isAlive()) void send('WATCHDOG=1');
      }, everyMs);
    },
    stopping: async () => {
      clearInterval(timer);
      await send('STOPPING=1');
    },
  };
}

function sendAll(
  messages: readonly string[],
  environment: NonNullable<NotifyOptions['environment']>,
  onError: (message: string) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', messages, { stdio: 'ignore', env: { ...environment } });
    child.on('error', (error) => {
      onError(`systemd-notify cannot be run: ${error.message}; install systemd, or set Type=exec and no WatchdogSec`);
      resolve();
    });
    child.on('exit', (code) => {
      if (code !== 0)
        onError(`systemd-notify ${messages.join(' ')} ended with ${code}; does the unit have NotifyAccess=all?`);
      resolve();
    });
  });
}
