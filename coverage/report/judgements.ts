/**
 * What was measured of a demand, and whether that is enough: one function a kind of demand, over all that was seen.
 * Null: nothing in the evidence says it.
 */
import { oneSided } from './guards.ts';
import type { Seen } from './seen.ts';

export interface Judgement {
  readonly measured: string;
  readonly met: boolean;
}

const grouped = (value: number): string => value.toLocaleString('en-US');

/** A demand on one figure: so much at least, and no failure of its mode. */
export const atLeast =
  (mode: Parameters<Seen['figure']>[0], figure: string, least: number, unit: string) =>
  (seen: Seen): Judgement | null => {
    const value = seen.figure(mode, figure);
    if (value === null) return null;
    const failures = seen.failures(mode);
    return { measured: `${grouped(value)} ${unit}, ${failures} failures`, met: value >= least && failures === 0 };
  };

export function tour(seen: Seen): Judgement | null {
  const evidence = seen.best('tour', 'taken');
  if (evidence === null) return null;
  const { figures, seconds, failures, profiles } = evidence;
  const { taken = 0, edges = 0, modelMissing = 0 } = figures;
  return {
    measured: `${grouped(taken)} of ${grouped(edges)} edges on ${profiles.join(' and ')}, ${modelMissing} of the model without a reason, ${seconds.toFixed(0)} s, ${failures} failures`,
    met: taken === edges && modelMissing === 0 && profiles.length === 2 && seconds < 60 && failures === 0,
  };
}

export function crash(seen: Seen): Judgement | null {
  const evidence = seen.best('crash', 'images');
  if (evidence === null) return null;
  const { figures, seconds, failures } = evidence;
  const { images = 0, doubleCrashes = 0 } = figures;
  return {
    measured: `${grouped(images)} images, ${grouped(doubleCrashes)} with a second crash, ${failures} failures, ${seconds.toFixed(0)} s`,
    met: images >= 200_000 && doubleCrashes >= 20_000 && failures === 0 && seconds < 600,
  };
}

export function museum(seen: Seen): Judgement | null {
  const evidence = seen.best('museum', 'killed');
  if (evidence === null) return null;
  const { planted = 0, killed = 0, medianSteps = 0 } = evidence.figures;
  return {
    measured: `${killed} of ${planted} killed, median of the shrunk traces ${medianSteps} steps`,
    met: planted > 0 && killed === planted && medianSteps <= 8,
  };
}

export function mutants(seen: Seen): Judgement | null {
  const score = seen.figure('mutants', 'src/core score');
  if (score === null) return null;
  const { survivors } = seen.lists;
  const unexplained = survivors.filter(({ reason }) => reason === '').length;
  return {
    measured: `${score} % of src/core, ${survivors.length} survivors listed, ${unexplained} of them without a reason`,
    met: score >= 90 && unexplained === 0 && seen.failures('mutants') === 0,
  };
}

export function lines(seen: Seen): Judgement | null {
  const evidence = seen.best('coverage', 'lines');
  if (evidence === null) return null;
  const { lines: reached = 0, branches = 0, unlisted = 0, stale = 0 } = evidence.figures;
  return {
    measured: `${reached.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches, ${seen.lists.unreached.length} places listed, ${unlisted} missing in the list, ${stale} listed in vain`,
    met: reached >= 98 && branches >= 95 && unlisted === 0 && stale === 0,
  };
}

export function steps(seen: Seen): Judgement | null {
  const most = seen.most('random', (evidence) => evidence.steps);
  if (most === null) return null;
  const failures = seen.failures('random');
  return { measured: `${grouped(most)} steps, ${failures} failures`, met: most >= 10_000_000 && failures === 0 };
}

export function rate(seen: Seen): Judgement | null {
  const reached = seen.figure('random', 'wiced');
  return reached === null
    ? null
    : { measured: `${grouped(reached)} steps per second and core`, met: reached >= 20_000 };
}

export function repeated(seen: Seen): Judgement | null {
  const [runs, same] = [seen.figure('repeat', 'runs'), seen.figure('repeat', 'same')];
  if (runs === null || same === null) return null;
  return { measured: `${same} of ${runs} modes gave the same hash twice`, met: same === runs };
}

export function others(seen: Seen): Judgement | null {
  const evidence = seen.best('others', 'found');
  if (evidence === null) return null;
  const { right = 0, passed = 0, wrong = 0, found = 0 } = evidence.figures;
  return {
    measured: `${passed} of ${right} that are right pass, ${found} of ${wrong} that are wrong are found`,
    met: right > 0 && passed === right && wrong > 0 && found === wrong,
  };
}

export function events(seen: Seen): Judgement | null {
  if (!seen.has('random')) return null;
  const { edges, events: counts } = seen.totals;
  const [taken, happened] = [edges.filter(({ count }) => count > 0).length, counts.filter(([, n]) => n > 0).length];
  return {
    measured: `${happened} of ${counts.length} events, ${taken} of ${edges.length} edges, each with its count`,
    met: happened === counts.length && taken === edges.length,
  };
}

export const counted =
  (kind: 'starts' | 'boundaries', unit: string) =>
  (seen: Seen): Judgement | null => {
    const most = seen.most('random', (evidence) => Object.values(evidence[kind] ?? {}).filter((n) => n > 0).length);
    return most === null ? null : { measured: `${most} ${unit}`, met: most > 0 };
  };

/** Modes of this run and of recorded ones that a crash was counted in, cell by cell. */
export function cells(seen: Seen): Judgement | null {
  const counting = [...seen.run, ...seen.recorded].filter((each) => each.cells.length > 0);
  if (counting.length === 0) return null;
  const modes = [...new Set(counting.map(({ mode }) => mode))];
  const visited = new Set(
    counting.flatMap((each) => each.cells.map(({ edge, io, residue }) => `${edge}|${io}|${residue}`)),
  );
  return {
    measured: `${grouped(visited.size)} cells, from ${modes.join(', ')}`,
    met: modes.includes('crash') && modes.includes('interleavings'),
  };
}

export function witnesses(seen: Seen): Judgement | null {
  if (!seen.has('random')) return null;
  const { invariants } = seen.totals;
  const put = invariants.filter(({ witnesses: steps }) => steps > 0);
  const least = Math.min(...invariants.map(({ witnesses: steps }) => steps));
  return {
    measured: `${put.length} of ${invariants.length} invariants put to the test, the least often in ${grouped(least)} steps`,
    met: put.length === invariants.length,
  };
}

export function guards(seen: Seen): Judgement | null {
  if (!seen.has('random')) return null;
  const all = seen.totals.guards;
  const { neverAsked, neverRefused, neverPassed } = oneSided(all);
  const both = all.length - neverAsked.length - neverRefused.length - neverPassed.length;
  return {
    measured: `${both} of ${all.length} let events pass and refused some; ${neverRefused.length} had nothing to refuse, ${neverPassed.length} let nothing pass, ${neverAsked.length} were never asked, all named`,
    met: neverAsked.length === 0 && neverPassed.length === 0,
  };
}

export function legacy(seen: Seen): Judgement | null {
  const evidence = seen.best('legacy', 'found');
  if (evidence === null) return null;
  const { right = 0, passed = 0, planted = 0, found = 0 } = evidence.figures;
  return {
    measured: `${passed} of ${right} ways of calling keep to the model, ${found} of ${planted} planted bugs found`,
    met: right > 0 && passed === right && planted > 0 && found === planted,
  };
}

/** Troubles of the disk and of its files, each with everything that must hold in it. */
export function troubles(seen: Seen): Judgement | null {
  const [faults, damages] = [seen.figure('faults', 'cases'), seen.figure('damage', 'cases')];
  if (faults === null || damages === null) return null;
  const [wrong, failures] = [seen.figure('damage', 'wrong') ?? 0, seen.failures('faults') + seen.failures('damage')];
  return {
    measured: `${grouped(faults)} faults, ${grouped(damages)} damages: ${wrong} wrong records, ${failures} failures`,
    met: faults > 0 && damages > 0 && wrong === 0 && failures === 0,
  };
}

export function interleavings(seen: Seen): Judgement | null {
  const orders = seen.figure('interleavings', 'orders');
  if (orders === null) return null;
  const points = seen.figure('interleavings', 'crashPoints') ?? 0;
  const random = seen.figure('interleavings', 'randomOrders') ?? 0;
  return {
    measured: `${grouped(orders)} orders, ${grouped(random)} drawn ones, ${grouped(points)} crash points, ${seen.failures('interleavings')} failures`,
    met: orders > 0 && points > 0 && random > 0 && seen.failures('interleavings') === 0,
  };
}

export function savedTraces(seen: Seen): Judgement | null {
  const traces = seen.figure('regressions', 'traces');
  if (traces === null) return null;
  const failures = seen.failures('regressions');
  return { measured: `${traces} saved traces, ${failures} failures`, met: traces > 0 && failures === 0 };
}

/** Stryker's scores with the kit as the only test. */
export function scores(seen: Seen): Judgement | null {
  const [core, platform] = [seen.figure('mutants', 'src/core score'), seen.figure('mutants', 'src/platform score')];
  if (core === null || platform === null) return null;
  return { measured: `${core} % of src/core, ${platform} % of src/platform`, met: core >= 90 };
}

export function residues(seen: Seen): Judgement | null {
  if (!seen.has('crash')) return null;
  const { residues: classes, cells } = seen.totals;
  return { measured: `${cells} cells, left behind: ${classes.join('; ')}`, met: classes.length >= 6 };
}
