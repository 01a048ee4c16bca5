/** Whether a store that was opened again is the same store (INV-17), and has set aside only what the run has spoiled. */
import type { Findings } from './findings.ts';

export interface OpenedAs {
  readonly storeId: string;
  readonly epoch: number;
  /** As in the store's recovery report: new, clean, crash. */
  readonly found: string;
  readonly setAside: readonly string[];
}

/**
 * @param was the store before. @param cutOff opens that were cut off in between: each may have raised the epoch.
 * @returns whether it is the same store.
 */
export function judgeOpened(
  findings: Findings,
  was: Pick<OpenedAs, 'storeId' | 'epoch'>,
  now: OpenedAs,
  cutOff: number,
  isSpoiled: (file: string) => boolean,
): boolean {
  const epochs = now.epoch - was.epoch;
  const isSame = now.storeId === was.storeId && now.found !== 'new' && epochs >= 1 && epochs <= 1 + cutOff;
  findings.expect(
    isSame,
    'recovery',
    () => `${was.storeId} opened as ${now.found} ${now.storeId}, ${epochs} epochs on`,
  );
  const aside = now.setAside.filter((file) => !isSpoiled(file));
  findings.expect(aside.length === 0, 'recovery', () => `it has set ${aside.join(', ')} aside`);
  return isSame;
}
