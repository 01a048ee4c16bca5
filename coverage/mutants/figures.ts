/**
 * What a run of the mutants has shown: per file how many were caught, and every survivor beside the list of those that are
 * known (coverage/survivors.json). Pure; cli.ts reads and writes.
 */

/** As Stryker's report names them; there are more, which count for nothing. */
export type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored';

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: Status | string;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** The part of Stryker's report that is read here. */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

/** A mutant that nothing caught, as it is listed. Found again by its text; the line is for a reader. */
export interface Survivor {
  readonly file: string;
  readonly line: number;
  /** The code that was changed, and what it was changed to, in one line each. */
  readonly original: string;
  readonly replacement: string;
  readonly mutator: string;
}

/** A survivor with why it is equivalent, or what would catch it. */
export interface ListedSurvivor extends Survivor {
  readonly reason: string;
}

export interface FileFigures {
  readonly file: string;
  readonly killed: number;
  /** Never ended, which is seen too. */
  readonly timeout: number;
  readonly survived: number;
  /** Nothing in the kit reaches it. */
  readonly noCoverage: number;
  /** Texts that people read. */
  readonly ignored: number;
  /** Share of those seen, in percent; null for a file without a mutant. */
  readonly score: number | null;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The source between two positions, in one line. Stryker counts lines from 1 and columns from 1. */
export function textAt(source: string, { start, end }: Mutant['location']): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const cut = lines.map((line, i) =>
    line.slice(i === 0 ? start.column - 1 : 0, i === last ? end.column - 1 : undefined),
  );
  return oneLine(cut.join(' '));
}

const LONGEST_TEXT = 120;
const short = (text: string): string => (text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}...`);

export function survivorsOf({ files }: MutationReport): Survivor[] {
  return Object.keys(files)
    .sort()
    .flatMap((file) => {
      const { source, mutants } = files[file] as MutationReport['files'][string];
      return mutants
        .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
        .map((mutant) => ({
          file,
          line: mutant.location.start.line,
          original: short(textAt(source, mutant.location)),
          replacement: short(oneLine(mutant.replacement ?? '')),
          mutator: mutant.mutatorName,
        }))
        .sort((a, b) => a.line - b.line || keyOf(a).localeCompare(keyOf(b)));
    });
}

/** The same mutant has the same key however many lines its place has moved. */
export const keyOf = ({ file, original, replacement, mutator }: Survivor): string =>
  JSON.stringify([file, mutator, original, replacement]);

/** Survivors that the list does not know. One entry stands for one mutant: the same change in two places needs two. */
export function unlisted(survivors: readonly Survivor[], listed: readonly Survivor[]): Survivor[] {
  const left = new Map<string, number>();
  for (const each of listed) left.set(keyOf(each), (left.get(keyOf(each)) ?? 0) + 1);
  return survivors.filter((each) => {
    const count = left.get(keyOf(each)) ?? 0;
    left.set(keyOf(each), count - 1);
    return count <= 0;
  });
}

const scoreOf = (seen: number, all: number): number | null => (all === 0 ? null : (100 * seen) / all);

export function figuresOf({ files }: MutationReport): FileFigures[] {
  return Object.keys(files)
    .sort()
    .map((file): FileFigures => {
      const count = (status: Status): number =>
        files[file]?.mutants.filter((mutant) => mutant.status === status).length ?? 0;
      const [killed, timeout, survived] = [count('Killed'), count('Timeout'), count('Survived')];
      const noCoverage = count('NoCoverage');
      const score = scoreOf(killed + timeout, killed + timeout + survived + noCoverage);
      return { file, killed, timeout, survived, noCoverage, ignored: count('Ignored'), score };
    });
}

/** Files of a folder taken together. */
export function totalOf(figures: readonly FileFigures[], folder: string): FileFigures {
  const of = figures.filter(({ file }) => file.startsWith(`${folder}/`));
  const sum = (key: 'killed' | 'timeout' | 'survived' | 'noCoverage' | 'ignored'): number =>
    of.reduce((total, each) => total + each[key], 0);
  const [killed, timeout, survived, noCoverage] = [sum('killed'), sum('timeout'), sum('survived'), sum('noCoverage')];
  const score = scoreOf(killed + timeout, killed + timeout + survived + noCoverage);
  return { file: folder, killed, timeout, survived, noCoverage, ignored: sum('ignored'), score };
}

/** The report without what was not seen in one file, so that the next run tries it once more, with a stronger kit. */
export function withoutSurvivors(report: MutationReport, file: string): MutationReport {
  const of = report.files[file];
  if (of === undefined) return report;
  const kept = of.mutants.filter(({ status }) => status !== 'Survived' && status !== 'NoCoverage');
  return { ...report, files: { ...report.files, [file]: { ...of, mutants: kept } } };
}
