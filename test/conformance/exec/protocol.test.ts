// Goal: the page on the protocol is right to the byte. Method: every example on it, against the implementation's own
// checks; and the checks refuse what they must, with a sentence that names the field.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OperationName } from '../../../conformance/exec/protocol.ts';
import { answerFault, LINE_BYTES_MAX, OPERATIONS, requestFault } from '../../../conformance/exec/protocol.ts';
import { ROOT } from '../../tools/project-files.ts';

const page = readFileSync(join(ROOT, 'docs/conformance-protocol.md'), 'utf8');

/** The lines of the blocks marked as JSON, in pairs: a request, and an answer to it. */
const lines = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
  (block as string).trimEnd().split('\n'),
);
const examples = lines.flatMap((line, i) => (i % 2 === 0 ? [[line, lines[i + 1] ?? ''] as const] : []));

describe('the page', () => {
  test.each(examples)('%s', (request, answer) => {
    const asked = JSON.parse(request);
    expect(requestFault(asked)).toBeNull();
    expect(JSON.stringify(asked)).toBe(request);
    const given = JSON.parse(answer);
    expect(answerFault(asked.op as OperationName, given, 2)).toBeNull();
    expect(given.id).toBe(asked.id);
  });

  test('has an example of each operation, and of each code', () => {
    const operations = new Set(examples.map(([request]) => JSON.parse(request).op));
    expect([...operations].sort()).toEqual(Object.keys(OPERATIONS).sort());
    for (const code of ['RAM_FULL', 'BOUNDS_VIOLATION', 'IO_FAILED', 'UNSUPPORTED'])
      expect(page).toContain(`"code":"${code}"`);
    expect(page).toContain(LINE_BYTES_MAX.toLocaleString('en'));
  });
});

describe('the checks', () => {
  const stream = { source: 'host', sensor: 0, kind: 'evt', periodMs: 0, type: 'uint32' };
  const init = { id: 1, op: 'init', protocol: 1, storage: '/tmp/x', streams: [stream] };

  test.each([
    ['text', '"text" is no object'],
    [{ op: 'flush' }, 'id is nothing'],
    [{ id: 1, op: 'peek' }, 'op is "peek"'],
    [{ id: 1, op: 'flush', stream: 0 }, 'flush has no field stream'],
    [{ id: 1, op: 'read', stream: 0 }, 'max is nothing'],
    [{ ...init, protocol: 2 }, 'protocol is 2'],
    [{ ...init, storage: '' }, 'storage is ""'],
    [{ ...init, streams: [] }, 'streams is []'],
    [{ ...init, streams: [{ ...stream, source: 'moon' }] }, 'source is "moon"'],
    [{ ...init, streams: [{ ...stream, sensor: 2 ** 32 }] }, 'sensor is 4294967296'],
    [{ ...init, streams: [{ ...stream, kind: 'tsd' }] }, 'periodMs is 0 in a stream of tsd'],
    [{ ...init, streams: [{ ...stream, type: 'int64' }] }, 'type is "int64"'],
  ])('refuse the request %j', (request, message) => {
    expect(requestFault(request)).toContain(message);
  });

  const introduction = { id: 1, ok: true, protocol: 1, durable: true, supports: [] };
  const record = { bits: 1, timeMs: 1 };
  test.each([
    ['flush', [], '[] is no object'],
    ['flush', { id: 1 }, 'ok is nothing'],
    ['flush', { id: 1, ok: false, code: 'TIRED' }, 'code is "TIRED"'],
    ['flush', { id: 1, ok: false, code: 'IO_FAILED', message: 5 }, 'message is 5'],
    ['append', { id: 1, ok: true, sequence: -1 }, 'sequence is -1'],
    ['read', { id: 1, ok: true }, 'records is nothing'],
    ['read', { id: 1, ok: true, records: [record, { ...record, bits: 2 ** 32 }] }, 'record 1: bits is 4294967296'],
    ['read', { id: 1, ok: true, records: [{ ...record, timeMs: 0.5 }] }, 'record 0: timeMs is 0.5'],
    ['inspect', { id: 1, ok: true, streams: [] }, 'marks of 2 streams were expected'],
    [
      'inspect',
      {
        id: 1,
        ok: true,
        streams: [
          { head: 0, read: 0, appended: 0 },
          { head: 0, read: 0 },
        ],
      },
      'appended of stream 1',
    ],
    ['init', { ...introduction, protocol: 7 }, 'protocol is 7'],
    ['init', { ...introduction, durable: 'yes' }, 'durable is "yes"'],
    ['init', { ...introduction, supports: ['peek'] }, 'supports has "peek"'],
    ['init', { ...introduction, crash: 'burn' }, 'crash is "burn"'],
    ['init', { ...introduction, kinds: [] }, 'kinds is empty'],
    ['init', { ...introduction, streamsMax: 0 }, 'streamsMax is 0'],
  ] as const)('refuse to %s the answer %j', (op, answer, message) => {
    expect(answerFault(op, answer, 2)).toContain(message);
  });
});
