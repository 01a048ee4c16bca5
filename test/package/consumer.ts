/**
 * An empty project next door: the packed tarball installed into it as a user would, without a network.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../tools/project-files.ts';

const BIN = join(ROOT, 'node_modules/.bin');

export interface Run {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of ours (node, npm, tsc, attw) in a folder; a failure is an answer too. */
export async function run(folder: string, program: string, ...args: string[]): Promise<Run> {
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}`, NO_COLOR: '1' };
  // Coverage of a child would count the bundle as well as the sources it was made from.
  delete (env as Record<string, string | undefined>).NODE_V8_COVERAGE;
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: folder, env, maxBuffer: 64 << 20 });
    return { ok: true, stdout, stderr };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Partial<Run> & { message: string };
    return { ok: false, stdout, stderr: stderr === '' ? message : stderr };
  }
}

export interface Consumer {
  readonly folder: string;
  readonly tarball: string;
  /** Makes a package of ours present, as if the user had installed it; one that is there already stays. */
  readonly addPeer: (name: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Packs the project (which builds it) and installs the tarball. @throws with npm's words when either fails. */
export async function makeConsumer(): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'imatrix-mm-consumer-'));
  const must = async (where: string, ...args: string[]): Promise<void> => {
    const { ok, stdout, stderr } = await run(where, 'npm', ...args);
    if (ok) return;
    await rm(folder, { recursive: true, force: true });
    throw new Error(`npm ${args[0]} failed:\n${stdout}\n${stderr}`);
  };
  await must(ROOT, 'pack', '--pack-destination', folder);
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack left no tarball');
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  await must(folder, 'install', '--offline', '--no-audit', '--no-fund', `./${name}`);
  return {
    folder,
    tarball: join(folder, name),
    addPeer: async (peer) => {
      const place = join(folder, 'node_modules', peer);
      await mkdir(dirname(place), { recursive: true });
      await symlink(join(ROOT, 'node_modules', peer), place, 'dir').catch((error) => {
        if (error.code !== 'EEXIST') throw error;
      });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
