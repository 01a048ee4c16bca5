// Goal: the worked example in another language holds, and each of its three mistakes is named by a short trace. Method:
// the command as a user types it, on the store as it is and with each argument that makes it wrong.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../tools/project-files.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.error('SKIPPED: python3 is not installed, so the example in another language was not run');
const named = (what: string): string => (hasPython ? what : `${what} (SKIPPED: needs python3)`);

const EXAMPLE = 'python3 docs/examples/small_store.py';
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imatrix-mm-example-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function conformance(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['conformance/cli/main.ts', ...args, '--out', folder],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

describe.skipIf(!hasPython)(named('the store in Python'), () => {
  test('passes as it stands', () => {
    const { status, stdout, stderr } = conformance('--exec', EXAMPLE, '--seed', '1', '--runs', '15');
    // On a busy machine it may take long enough to say how far it is.
    expect(stderr.replaceAll(/^ {2}\d+ runs, \d+ steps\n/gm, '')).toBe('');
    expect(stdout).toContain('small store in Python: durable, crashes when asked');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('no failure');
    expect(status).toBe(0);
  });

  test.each([
    ['--nack-leaves-cursor', 'INV-13', /read is 1, the model has 0/],
    ['--acknowledge-takes-all', 'INV-12', /head is 2, the model has 1/],
    ['--torn-record-accepted', 'INV-16', /gives after the crash a record that was never appended/],
  ])('%s breaks %s', (wrong, breaks, message) => {
    const { status, stdout, stderr } = conformance('--exec', `${EXAMPLE} ${wrong}`, '--seed', '1', '--json');
    expect(status).toBe(1);
    const { failures, failure, exec } = JSON.parse(stdout);
    expect(failures).toBe(1);
    expect(failure).toMatchObject({ breaks, message: expect.stringMatching(message) });
    expect(failure.steps).toBeLessThanOrEqual(5);
    expect(exec.transcript.length).toBeLessThanOrEqual(24);
    expect(stderr).toContain(`${wrong}" breaks ${breaks} (`);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^ {2}< \{"id":/);
  });

  // Goal: what was saved can be run again, on the wrong store and on the right one. Method: the file of the test above.
  test('fails again from the saved trace, and holds there when it is right', () => {
    const saved = readdirSync(folder).find((name) => name.startsWith('inv-13'));
    if (saved === undefined) throw new Error('nothing was saved');
    const replay = join(folder, saved);
    expect(conformance('--exec', `${EXAMPLE} --nack-leaves-cursor`, '--replay', replay).status).toBe(1);
    expect(conformance('--exec', EXAMPLE, '--replay', replay)).toMatchObject({ status: 0, stderr: '' });
    expect(conformance('--replay', replay).status).toBe(0);
  });

  // Goal: it is Python as it comes. Method: what it imports.
  test('needs the standard library alone', () => {
    const script =
      'import ast, sys; print([n.name for s in ast.walk(ast.parse(open(sys.argv[1]).read())) if isinstance(s, ast.Import) for n in s.names])';
    const imports = execFileSync('python3', ['-c', script, 'docs/examples/small_store.py'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(imports.trim()).toBe("['json', 'os', 'struct', 'sys', 'zlib']");
  });
});

test('what makes no sense is one line and exit code 2', () => {
  const unusable = conformance('--exec', 'exit 3');
  expect(unusable).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^conformance: --exec "exit 3" cannot be judged: .*\n$/),
  });
  expect(conformance('--exec', ' ')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: "conformance: --exec '' is empty: give the command that starts the implementation; see --help\n",
  });
  const both = conformance('--exec', 'true', '--faults');
  expect(both).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^conformance: .* are two modes: give one of them.*\n$/),
  });
  const missing = conformance('--exec', 'true', '--replay', 'no-such-file.json');
  expect(missing).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^conformance: cannot read the trace no-such-file\.json: .*\n$/),
  });
});
