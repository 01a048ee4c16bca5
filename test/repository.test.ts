/**
 * The repository speaks of the project alone: it works from any folder, on any machine, with any registry.
 */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectFiles, ROOT } from './tools/project-files.ts';

/** Written in pieces, so that this file does not find itself. */
const HOMES = new RegExp(`/(${['home', 'Users'].join('|')})/[a-z]|${'/ro'}${'ot'}/`);
const REGISTRY = new RegExp(`${'regis'}${'try'}\\.[a-z0-9.-]+\\.[a-z]|${'npm'}${'js'}\\.(com|org)`);

/** Recordings and pictures hold bytes, not sentences. */
const isText = (path: string): boolean => !/\.(log|csv|png|svg|seg|bin)$/.test(path);

interface Finding {
  readonly where: string;
  readonly text: string;
}

function linesThat(says: (line: string) => boolean, files: readonly { path: string; text: string }[]): Finding[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (says(line) ? [{ where: `${path}:${i + 1}`, text: line.trim() }] : [])),
  );
}

/** A home directory, or where this clone happens to be (unless that is a single word, such as `/data`). */
function namesMachine(line: string): boolean {
  return HOMES.test(line) || (ROOT.split('/').length > 2 && line.includes(`${ROOT}/`));
}

const namesRegistry = (line: string): boolean => REGISTRY.test(line);

const files = projectFiles()
  .filter(isText)
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

describe('the repository', () => {
  // Goal: a clone works anywhere. Method: every line of every text file, against the paths that only one machine has.
  test('names no path of one machine', () => {
    expect(linesThat(namesMachine, files)).toEqual([]);
  });

  // Goal: an install asks the registry that the user has set. Method: no file names one, the lock file included.
  test('names no registry', () => {
    expect(linesThat(namesRegistry, files)).toEqual([]);
  });

  // Goal: as above, for what npm writes by itself. Method: the lock file's packages have a hash and no address.
  test('locks packages by hash, not by address', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string; integrity?: string }>;
    };
    const installed = Object.entries(packages).filter(([path]) => path !== '');
    expect(installed.length).toBeGreaterThan(50);
    expect(installed.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(installed.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
  });

  // Goal: no version drifts between two installs. Method: each development dependency is one exact version.
  test('pins every development dependency', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(Object.entries(devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  // Goal: a document leads where it says. Method: every relative link of every page, against the files there are.
  test('links to nothing that is missing', () => {
    const known = new Set(
      projectFiles().flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))),
    );
    const dead = files
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
          .map(([, target]) => posix.join(posix.dirname(path), target as string).replace(/\/$/, ''))
          .filter((target) => !known.has(target))
          .map((target) => `${path} -> ${target}`),
      );
    expect(dead).toEqual([]);
  });

  // Goal: no package comes in without a reason. Method: each one has its line in the decision record.
  test('says why it uses each package', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const reasons = readFileSync(join(ROOT, 'docs/decisions/0001-dependencies.md'), 'utf8');
    const named = [...reasons.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, names]) => (names as string).split(', '));
    expect(Object.keys(devDependencies).filter((name) => !named.includes(name))).toEqual([]);
  });

  // Goal: the first listing shows the idea of the project. Method: the top level is the known list.
  test('keeps its top level', () => {
    const allowed = ['.ci', 'bench', 'conformance', 'coverage', 'docs', 'model', 'src', 'test'];
    const documents = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md'];
    const manifests = ['package-lock.json', 'package.json', 'tsconfig.json'];
    const top = new Set(projectFiles().map((path) => path.split('/')[0] as string));
    const unknown = [...top].filter((name) => ![...allowed, ...documents, ...manifests].includes(name));
    expect(unknown.filter((name) => !name.startsWith('.'))).toEqual([]);
  });
});

// Goal: the searches above can find. Method: lines that they must find, and lines that they must not.
describe('the search', () => {
  test('finds a path of one machine', () => {
    expect(namesMachine(`see /${'home'}/someone/notes.txt`)).toBe(true);
    expect(namesMachine('/var/imatrix/storage and ./data')).toBe(false);
  });

  test('finds a registry', () => {
    expect(namesRegistry(`"resolved": "https://${'regis'}try.example.org/x.tgz"`)).toBe(true);
    expect(namesRegistry('the package registry')).toBe(false);
  });
});
