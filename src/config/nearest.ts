/** The word that was probably meant: the known one with the fewest letters changed, added or left out. */

/** Edits that turn `a` into `b` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** @returns null when none is near: more than half of it would have to change. */
export function nearest(word: string, known: readonly string[]): string | null {
  // Longer than any known word can be near: not worth the work.
  if (word.length > 64) return null;
  const [best] = known
    .map((each) => ({ each, edits: distance(word.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= best.each.length / 2 ? best.each : null;
}

/** What to write instead. */
export const suggestion = (word: string, known: readonly string[]): string => {
  const near = nearest(word, known);
  return near === null
    ? `leave it out, or write one of ${known.join(', ')}`
    : `did you mean ${near}? If not, leave it out`;
};
