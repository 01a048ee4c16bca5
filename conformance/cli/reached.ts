/** What of the deep starts, the payload boundaries and the edges a campaign has reached, each with its count. */
import type { Profile } from '../actions.ts';
import { boundariesOf } from '../boundaries.ts';
import type { Coverage } from '../model-run.ts';
import { edgesOf } from '../run.ts';
import { startsOf } from '../starts.ts';

type Counts = ReadonlyMap<string, number>;

/** Every name there is, in its order, with its count, 0 for what was not reached; then what came besides. */
function counted(counts: Counts, names: readonly string[]): [string, number][] {
  const all = [...new Set([...names, ...counts.keys()])];
  return all.map((name) => [name, counts.get(name) ?? 0]);
}

function sections(coverage: Coverage, profiles: readonly Profile[]) {
  const starts = profiles.flatMap((profile) => startsOf(profile).map(({ name }) => name));
  return {
    edgeCounts: counted(coverage.edges, edgesOf(profiles)),
    starts: counted(coverage.starts, starts),
    boundaries: counted(coverage.boundaries, boundariesOf(profiles)),
  };
}

export function reachedAsJson(coverage: Coverage, profiles: readonly Profile[]): Record<string, object> {
  const named = Object.entries(sections(coverage, profiles));
  return Object.fromEntries(named.map(([key, rows]) => [key, Object.fromEntries(rows)]));
}

export function reachedLines(coverage: Coverage, profiles: readonly Profile[]): string[] {
  const { edgeCounts, starts, boundaries } = sections(coverage, profiles);
  const show = (title: string, rows: readonly (readonly [string, number])[]): string =>
    [`\n${title}`, ...rows.map(([name, count]) => `  ${name.padEnd(46)}${String(count).padStart(10)}`)].join('\n');
  return [
    show('edges, how often', edgeCounts),
    show('deep starts, runs that went on from them', starts),
    show('payload boundaries, steps that reached them', boundaries),
  ];
}
