/**
 * The import table: who may import whom. The first room whose pattern fits a file is its room.
 *
 * What it keeps: the engine is pure, so it runs in a simulation and in a bare engine; model and engine share no code,
 * so that their agreement proves something; nothing that ships depends on what only tests use.
 */
import { posix } from 'node:path';
import { COMPUTED, readSource } from './sources.ts';

interface Room {
  readonly pattern: RegExp;
  /** As CONTRIBUTING.md names it. */
  readonly name: string;
  /** Files of the project it may import. */
  readonly files: RegExp;
  /** Packages it may import; 'any' is any that package.json names. */
  readonly packages: readonly string[] | 'any';
  readonly node: boolean;
  /** No clock, no chance, no timer, nothing of the host. */
  readonly pure?: true;
}

export const ROOMS: readonly Room[] = [
  { name: 'src/core', pattern: /^src\/core\//, files: /^src\/core\//, packages: [], node: false, pure: true },
  {
    name: 'src/platform/wiced.ts',
    pattern: /^src\/platform\/wiced\.ts$/,
    files: /^src\/core\/(port|types)\.ts$/,
    packages: [],
    node: false,
    pure: true,
  },
  {
    name: 'src/platform',
    pattern: /^src\/platform\//,
    files: /^src\/(platform\/|core\/(port|types)\.ts$)/,
    packages: [],
    node: true,
  },
  {
    name: 'src/wiced.ts',
    pattern: /^src\/wiced\.ts$/,
    files: /^src\/(core\/|platform\/wiced\.ts$)/,
    packages: [],
    node: false,
    pure: true,
  },
  {
    name: 'src/operator',
    pattern: /^src\/operator\//,
    files: /^src\/(core\/|platform\/|operator\/|[^/]+\.ts$)/,
    packages: [],
    node: true,
  },
  {
    name: 'src/migration',
    pattern: /^src\/migration\//,
    files: /^src\/(core\/|migration\/|operator\/|[^/]+\.ts$)/,
    packages: [],
    node: true,
  },
  {
    name: 'src/deploy',
    pattern: /^src\/deploy\//,
    files: /^src\/(deploy\/|config\/|platform\/|[^/]+\.ts$)/,
    packages: [],
    node: true,
  },
  { name: 'src/rollout', pattern: /^src\/rollout\//, files: /^src\/rollout\//, packages: [], node: true },
  {
    name: 'src/cli, src/legacy, src/config, src/log and src/metrics',
    pattern: /^src\/(cli|legacy|config|log|metrics)\//,
    files: /^(src\/|package\.json$)/,
    packages: 'any',
    node: true,
  },
  { name: 'src', pattern: /^src\/[^/]+\.ts$/, files: /^src\/(core\/|platform\/|[^/]+\.ts$)/, packages: [], node: true },
  { name: 'commands of model', pattern: /^model\/(.*-)?cli\.ts$/, files: /^model\//, packages: 'any', node: true },
  {
    name: 'model',
    pattern: /^model\//,
    files: /^model\//,
    packages: ['xstate', 'ts-pattern'],
    node: false,
  },
  {
    name: 'commands of conformance',
    pattern: /^conformance\/(cli\/|(.*-)?cli\.ts$)/,
    files: /^(model|src|conformance)\//,
    packages: 'any',
    node: true,
  },
  {
    name: 'conformance/museum',
    pattern: /^conformance\/museum\//,
    files: /^(model|src|conformance)\//,
    packages: ['diff'],
    node: true,
  },
  {
    name: 'conformance/soak',
    pattern: /^conformance\/soak\//,
    files: /^(model|src|conformance)\//,
    packages: ['cli-table3', 'commander', 'picocolors'],
    node: true,
  },
  {
    // What bundles the page and what runs in it; nothing else of the kit may import from here but its commands.
    name: 'conformance/visualise',
    pattern: /^conformance\/visualise\//,
    files: /^(model|src|conformance)\//,
    packages: 'any',
    node: true,
  },
  {
    name: 'conformance',
    pattern: /^conformance\//,
    files: /^(model|src|conformance)\//,
    packages: ['fast-check', 'xstate'],
    node: true,
  },
  {
    name: 'coverage',
    pattern: /^coverage\//,
    files: /^(model|conformance|src|coverage)\//,
    packages: 'any',
    node: true,
  },
  { name: 'bench', pattern: /^bench\//, files: /^(?!test\/)/, packages: 'any', node: true },
  { name: '.ci', pattern: /^\.ci\//, files: /^(?!test\/)/, packages: 'any', node: true },
  { name: 'test', pattern: /^test\//, files: /^/, packages: 'any', node: true },
];

/**
 * Every breach of the table in one file, a sentence each.
 * @param path relative to the repository, with forward slashes. @param declared packages that package.json names.
 */
export function breaches(path: string, source: string, declared: ReadonlySet<string>): string[] {
  const room = ROOMS.find(({ pattern }) => pattern.test(path));
  if (room === undefined) return [`${path} is in no room of the import table (test/layering/rooms.ts)`];
  const { imports, ambient } = readSource(source, path.endsWith('.tsx'));
  const found = imports.flatMap((specifier) => refusal(room, path, specifier, declared) ?? []);
  if (room.pure === true) found.push(...ambient.map((name) => `uses ${name}`));
  return found.map((what) => `${path} ${what}, which ${room.name} may not`);
}

function refusal(room: Room, path: string, specifier: string, declared: ReadonlySet<string>): string | null {
  const may = ((): boolean => {
    // Only tests and tools may load what nobody can name: a mutated copy, a module under test.
    if (specifier === COMPUTED) return /^(test|bench|\.ci|conformance)/.test(room.name);
    if (specifier.startsWith('.')) return room.files.test(posix.join(posix.dirname(path), specifier));
    if (specifier.startsWith('node:')) return room.node;
    const name = packageName(specifier);
    return room.packages === 'any' ? declared.has(name) : room.packages.includes(name);
  })();
  return may ? null : `imports ${specifier}`;
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
