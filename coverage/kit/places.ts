/**
 * Where the conformance kit alone does not come to in src/core, held against the list of those places
 * (coverage/unreached.json). Pure: c8's report and the sources go in, places come out.
 *
 * A place is found again by its code, not by its line, so that the list outlives an edit above it: the first line of a
 * run of lines, or the line on which one way of a branch was never taken.
 */

interface Spot {
  readonly line: number;
}

/** One file in c8's coverage-final.json: a statement a line. */
export interface FileCoverage {
  readonly statementMap: Readonly<Record<string, { readonly start: Spot }>>;
  readonly s: Readonly<Record<string, number>>;
  readonly branchMap: Readonly<Record<string, { readonly loc: { readonly start: Spot; readonly end: Spot } }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

export interface Place {
  /** From the repository. */
  readonly file: string;
  readonly line: number;
  /** Lines that are not reached from here on; 0 for a branch of a line that is. */
  readonly lines: number;
  readonly code: string;
}

export interface ListedPlace {
  readonly file: string;
  readonly code: string;
  /** Why the kit cannot come here, or what would bring it here. */
  readonly reason: string;
}

export function placesOf(file: string, source: string, { statementMap, s, branchMap, b }: FileCoverage): Place[] {
  const text = source.split('\n');
  const place = (line: number, lines: number): Place => ({ file, line, lines, code: (text[line - 1] ?? '').trim() });
  const unreached = new Set(
    Object.entries(s).flatMap(([id, count]) => (count === 0 ? [statementMap[id]?.start.line ?? 0] : [])),
  );
  const places: Place[] = [];
  for (const line of [...unreached].sort((x, y) => x - y)) {
    if (unreached.has(line - 1)) continue;
    let end = line;
    while (unreached.has(end + 1)) end++;
    places.push(place(line, end - line + 1));
  }
  const branches = Object.entries(b).flatMap(([id, counts]) => {
    const loc = branchMap[id]?.loc;
    // What lies in lines that are not reached, or opens a block of them, has its place already.
    const known = loc === undefined || unreached.has(loc.start.line) || unreached.has(loc.start.line + 1);
    return counts.includes(0) && !known ? [loc.start.line] : [];
  });
  for (const line of new Set(branches)) places.push(place(line, 0));
  return places.sort((x, y) => x.line - y.line);
}

export interface Comparison {
  readonly places: readonly (Place & { readonly reason: string })[];
  readonly unlisted: readonly Place[];
  /** Listed, and reached after all, or not there any more. */
  readonly stale: readonly ListedPlace[];
}

/** One entry stands for one place: the same code in two places needs two. */
export function compare(places: readonly Place[], listed: readonly ListedPlace[]): Comparison {
  const left = [...listed];
  const judged = places.map((place) => {
    const at = left.findIndex(({ file, code }) => file === place.file && code === place.code);
    const [entry] = at < 0 ? [] : left.splice(at, 1);
    return { ...place, reason: entry?.reason ?? '' };
  });
  return { places: judged, unlisted: judged.filter(({ reason }) => reason === ''), stale: left };
}
