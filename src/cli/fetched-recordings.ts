/**
 * Real recordings of boats that are too large to come with the install: the samples of the npm package signalk-server
 * (Apache-2.0). One exact version is fetched with npm, checked against its hash, and kept under node_modules/.cache;
 * it is never a dependency and nothing of it is run.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PACKAGE = 'signalk-server';
const VERSION = '2.23.0';
/** Of the package's archive, as the registry states it. */
const SHA512 = 'vNyT+X6VQDlavtOWoWL2+YhfT0m8vGysq1w5RVZ0bjWwuyDkLRQv9NNjQ34JHjAznQUsbsm99yXqp4Cunzw4Qg==';
const FILES = { position: 'package/samples/plaka.log', bus: 'package/samples/aava-n2k.data' } as const;
const FETCH_TIMEOUT_MS = 30_000;

const run = promisify(execFile);

export interface FetchedRecordings {
  /** NMEA 0183 of a day at sea; times of day without a date. */
  readonly position: string;
  /** NMEA 2000 messages of ten minutes, canboat form. */
  readonly bus: string;
}

/** @param cache directory that may be kept. @throws Error with one line of why they are not to be had. */
export async function fetchRecordings(cache: string): Promise<FetchedRecordings> {
  const archive = join(cache, `${PACKAGE}-${VERSION}.tgz`);
  await mkdir(cache, { recursive: true });
  if (!(await isIntact(archive))) {
    await rm(archive, { force: true });
    await fetchArchive(cache);
    if (!(await isIntact(archive))) throw new Error(`${PACKAGE} ${VERSION} came with a hash other than the known one`);
  }
  const names = Object.values(FILES);
  await run('tar', ['-xzf', archive, '-C', cache, ...names]).catch((error: unknown) => {
    throw new Error(`tar could not unpack ${archive}: ${firstLine(error)}`);
  });
  return { position: join(cache, FILES.position), bus: join(cache, FILES.bus) };
}

/** By the npm that runs us, else by the one on the path. */
async function fetchArchive(cache: string): Promise<void> {
  const args = ['pack', `${PACKAGE}@${VERSION}`, '--pack-destination', cache, '--loglevel=error', '--ignore-scripts'];
  const { npm_execpath: npm } = process.env;
  const started = npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], { timeout: FETCH_TIMEOUT_MS })
    : run('npm', args, { timeout: FETCH_TIMEOUT_MS });
  await started.catch((error: unknown) => {
    throw new Error(`npm pack ${PACKAGE}@${VERSION} failed: ${firstLine(error)}`);
  });
}

async function isIntact(archive: string): Promise<boolean> {
  try {
    return (
      createHash('sha512')
        .update(await readFile(archive))
        .digest('base64') === SHA512
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function firstLine(error: unknown): string {
  const { killed, stderr, message } = error as { killed?: boolean; stderr?: string; message?: string };
  if (killed === true) return `no answer within ${FETCH_TIMEOUT_MS / 1000} s`;
  const lines = `${stderr ?? ''}\n${message ?? ''}`.split('\n').filter((line) => line.trim() !== '');
  return lines[0] ?? 'no reason given';
}
