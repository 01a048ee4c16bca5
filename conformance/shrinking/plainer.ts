/** Plainer forms of an action and of a scenario: what a reader has to think about less. Plainest first. */
import type { Action, Scenario, ScenarioStream } from '../actions.ts';
import { quotaBytesMin } from '../refinement.ts';

/** From 1 up, so that the first that still fails is the plainest. */
const lessThan = (n: number): number[] =>
  [...new Set([1, Math.floor(n / 2), n - 1])].filter((less) => less >= 1 && less < n);

const IO: Action = { do: 'io', pick: 0 };

export function plainerActions(action: Action): Action[] {
  switch (action.do) {
    case 'append':
      return action.bits > 0xff ? [{ ...action, bits: action.bits & 0xff }] : [];
    case 'read':
      return lessThan(action.max).map((max) => ({ ...action, max }));
    case 'peek':
      return action.offset > 0 ? [{ ...action, offset: 0 }] : [];
    case 'acknowledge':
    case 'discard':
      return lessThan(action.n).map((n) => ({ ...action, n }));
    case 'io':
      return [
        ...(action.fault === undefined && action.times === undefined ? [] : [{ do: 'io', pick: action.pick } as const]),
        ...(action.pick > 0 ? [{ ...action, pick: 0 }] : []),
        ...lessThan(action.times ?? 1).map((times) => ({ ...action, times })),
        { do: 'drain' },
      ];
    case 'rest':
      return [{ do: 'drain' }];
    case 'emergencyFlush':
      return [{ do: 'flush' }];
    case 'close':
      return [{ do: 'flush' }, { do: 'checkpoint' }];
    case 'damage':
      return action.pick > 0 ? [{ ...action, pick: 0 }] : [];
    case 'crash':
      return plainerCrashes(action);
    default:
      return [];
  }
}

function plainerCrashes({ choice }: Extract<Action, { do: 'crash' }>): Action[] {
  if (choice.kind === 'power' && typeof choice.keep === 'string') return [];
  return (['nothing', 'everything'] as const).map((keep): Action => ({ do: 'crash', choice: { kind: 'power', keep } }));
}

const isProgress = ({ do: what }: Action): boolean =>
  what === 'io' || what === 'drain' || what === 'timer' || what === 'rest' || what === 'wait';

/** The actions with some that stand side by side made one. */
export function* joined(actions: readonly Action[]): Generator<Action[]> {
  for (let from = 0; from < actions.length - 1; from++) {
    const first = actions[from] as Action;
    let to = from + 1;
    if (isProgress(first) && (from === 0 || !isProgress(actions[from - 1] as Action))) {
      while (to < actions.length && isProgress(actions[to] as Action)) to++;
      const ends = actions.slice(from, to);
      const plain = ends.every((each) => each.do === 'io' && each.fault === undefined);
      if (to > from + 1) {
        yield actions.toSpliced(from, ends.length, { do: 'drain' });
        if (plain) yield actions.toSpliced(from, ends.length, { ...IO, times: countEnds(ends) } as Action);
        yield actions.toSpliced(from, ends.length, { do: 'rest' });
      }
    }
    const next = actions[from + 1] as Action;
    const both = sumOf(first, next);
    if (both !== null) yield actions.toSpliced(from, 2, both);
  }
}

const countEnds = (ends: readonly Action[]): number =>
  ends.reduce((sum, each) => sum + (each.do === 'io' ? (each.times ?? 1) : 0), 0);

/** Two of the same kind on the same stream as one; null where that means nothing. */
function sumOf(a: Action, b: Action): Action | null {
  if (a.do === 'read' && b.do === 'read' && a.stream === b.stream)
    return { ...a, max: Math.min(1_000_000, a.max + b.max) };
  if ((a.do === 'acknowledge' && b.do === 'acknowledge') || (a.do === 'discard' && b.do === 'discard'))
    return a.stream === b.stream ? { ...a, n: a.n + b.n } : null;
  if (a.do === 'io' && b.do === 'io' && a.fault === undefined && b.fault === undefined && a.pick === b.pick)
    return { ...a, times: (a.times ?? 1) + (b.times ?? 1) };
  return null;
}

/** A count that is one less, together with one append before it gone: neither goes alone. */
export function* countedDown(actions: readonly Action[]): Generator<Action[]> {
  for (const [at, action] of actions.entries()) {
    if ((action.do !== 'acknowledge' && action.do !== 'discard') || action.n <= 1) continue;
    for (let before = at - 1; before >= 0; before--) {
      const append = actions[before] as Action;
      if (append.do !== 'append' || append.stream !== action.stream) continue;
      yield actions.with(at, { ...action, n: action.n - 1 }).toSpliced(before, 1);
      break;
    }
  }
}

interface Case {
  readonly scenario: Scenario;
  readonly actions: readonly Action[];
}

/** The case without a stream, those behind it renumbered; what was done to it goes to another stream or goes. */
function* withoutStream({ scenario, actions }: Case, stream: number): Generator<Case> {
  const streams = scenario.streams.toSpliced(stream, 1);
  const renumbered = (action: Action, instead: number | null): Action | null => {
    if (!('stream' in action)) return action;
    const of = action.stream === stream ? instead : action.stream;
    return of === null ? null : { ...action, stream: of > stream ? of - 1 : of };
  };
  const all = (instead: number | null): Action[] => actions.flatMap((action) => renumbered(action, instead) ?? []);
  yield { scenario: { ...scenario, streams }, actions: all(null) };
  for (const instead of scenario.streams.keys()) {
    if (instead !== stream) yield { scenario: { ...scenario, streams }, actions: all(instead) };
  }
}

const PLAIN_STREAM: ScenarioStream = {
  source: 'host',
  sensor: 1,
  kind: 'evt',
  periodMs: 0,
  type: 'uint32',
  priority: 0,
};

function* plainerStreams({ scenario, actions }: Case): Generator<Case> {
  for (const [at, stream] of scenario.streams.entries()) {
    const plain = { ...PLAIN_STREAM, sensor: at + 1 };
    const wanted: ScenarioStream[] = [
      plain,
      { ...stream, kind: 'evt', periodMs: 0 },
      { ...stream, source: 'host', sensor: at + 1 },
      { ...stream, type: 'uint32', priority: 0 },
    ];
    for (const plainer of wanted) {
      const streams = scenario.streams.with(at, plainer);
      if (JSON.stringify(streams) !== JSON.stringify(scenario.streams))
        yield { scenario: { ...scenario, streams }, actions };
    }
  }
}

/** Smaller and plainer stores, those first that save most steps. One that no engine accepts does not fail as it should. */
export function* plainerCases(given: Case): Generator<Case> {
  const { scenario, actions } = given;
  const { streams, profile, sectors, sectorBytes } = scenario;
  const store = (change: Partial<Scenario>): Case => ({ scenario: { ...scenario, ...change }, actions });
  if (profile === 'linux') yield store({ profile: 'wiced', mode: 'ram' });
  if (streams.length > 1) for (const stream of streams.keys()) yield* withoutStream(given, stream);
  for (const fewer of [4, 5, 8].filter((count) => count < sectors)) {
    yield store({ sectors: fewer });
    if (profile === 'linux') yield store({ sectors: fewer, quotaBytes: quotaBytesMin(fewer, sectorBytes) });
  }
  if (sectorBytes > 32) yield store({ sectorBytes: 32 });
  const leastBytes = quotaBytesMin(sectors, sectorBytes);
  if (profile === 'linux' && scenario.quotaBytes > leastBytes) yield store({ quotaBytes: leastBytes });
  if (scenario.durableAcknowledge) yield store({ durableAcknowledge: false });
  if (scenario.whenDiskFull !== 'evict-oldest') yield store({ whenDiskFull: 'evict-oldest' });
  yield* plainerStreams(given);
}
