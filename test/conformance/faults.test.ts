/**
 * Faults at every I/O operation, as part of every test run in their quick form, and the proof that the mode can fail.
 */
import { describe, expect, it } from 'vitest';
import { runActions } from '../../conformance/execute.ts';
import { casesOf, note } from '../../conformance/faults/cases.ts';
import { QUICK_ONE_IN, runFaults } from '../../conformance/faults/run.ts';
import { SCRIPTS } from '../../conformance/faults/scripts.ts';
import { runWith } from './planted-copy.ts';

const SEED = Number(process.env.CONFORMANCE_SEED ?? 7);
const LONG_MS = 200_000;

describe('faults', () => {
  // Goal: whatever the disk refuses, the engine stays in step with the model, and goes on. Method: a share of all cases.
  it(
    'keep engine and model in step at every operation, and the store goes on when they end',
    async () => {
      const { outcome, cases } = await runFaults({ seed: SEED, oneIn: QUICK_ONE_IN, command: 'test' });
      console.log(`faults seed ${SEED}: ${cases} cases, ${outcome.evidence.steps} steps`);
      expect(outcome.failure?.message).toBeUndefined();
      expect(cases).toBeGreaterThan(150);
    },
    LONG_MS,
  );

  // Goal: the scripts leave no kind of operation out, and a case meets its fault. Method: note them, look at what was asked.
  it('are put at every kind of operation that the engine has', async () => {
    const kinds = new Set<string>();
    for (const script of SCRIPTS) {
      const noted = await note(script);
      for (const { operation } of noted.operations) kinds.add(operation.kind);
      let last = null;
      for (const each of casesOf(noted)) last = each;
      expect(last?.actions[0]?.do).toBe('fault');
    }
    expect([...kinds].sort()).toEqual(
      ['freeBytes', 'list', 'lock', 'read', 'remove', 'rename', 'sync', 'syncDirectory', 'write'].sort(),
    );
  });

  // Goal: the fault is met where the case says. Method: of one script, count the faults that the disk had in each case.
  it('are met where they were put', async () => {
    const script = SCRIPTS[0];
    if (script === undefined) throw new Error('there are scripts');
    const noted = await note(script);
    let at = 0;
    for (const { name, scenario, actions, kind } of casesOf(noted)) {
      if (at++ % 97 !== 0) continue;
      const met: string[] = [];
      let stalled = false;
      await runActions(scenario, actions, undefined, (_, run) => {
        stalled ||= (run.disk?.stalled().length ?? 0) > 0;
        run.watcher ??= {
          asked: () => {},
          ended: (operation, code) => {
            if (code !== null) met.push(operation.kind);
          },
        };
      });
      if (name.includes(' slow,')) expect(stalled, name).toBe(true);
      // An open may meet its fault before anybody can listen.
      else if (at > 97 * 10) expect(met, name).toContain(kind);
    }
  });

  // Goal: the mode can fail. Method: bugs in a copy of the engine, each of which only a fault brings to light.
  it.each([
    [
      'a failed sync of a segment is ignored',
      {
        file: 'src/core/flush.ts',
        search: 'this.#begin(port.sync(directory, name));',
        replace: 'this.#begin(this.#disk.port.sync(directory, name).then(() => OK));',
      },
    ],
    [
      'a failed sync of a directory is ignored',
      {
        file: 'src/core/flush.ts',
        search: 'this.#begin(this.#disk.port.syncDirectory(directoryOf(source)));',
        replace: 'this.#begin(this.#disk.port.syncDirectory(directoryOf(source)).then(() => OK));',
      },
    ],
  ])(
    'catch it when %s',
    async (_, bug) => {
      const { failures, failure } = await runWith(bug, ['--faults', '--quick', '--seed', '7']);
      console.log(`caught by ${failure?.breaks} in ${failure?.steps} steps`);
      expect(failures).toBe(1);
      expect(failure?.breaks).toMatch(/^INV-/);
    },
    LONG_MS,
  );
});
