/** Opens an address with the program that this system has for it. Whether it does is between that and its user. */
import { spawn } from 'node:child_process';

const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

export function openInBrowser(url: string): void {
  const [program = '', ...before] = OPENERS[process.platform] ?? ['xdg-open'];
  spawn(program, [...before, url], { detached: true, stdio: 'ignore' })
    .on('error', () => console.error(`${program} is not there to open it: open ${url} yourself`))
    .unref();
}
