/** The report as one JSON object: for a machine, and for a run of another day. */
import type { Report } from './build.ts';

export function asJson({ totals, ...report }: Report): string {
  const edges = totals.edges.map(({ edge, count, cells }) => ({
    edge,
    count,
    cells: [...cells].flatMap(([io, residues]) =>
      [...residues].map(([residue, crashes]) => ({ io, residue, count: crashes })),
    ),
  }));
  return JSON.stringify({
    ...report,
    totals: { ...totals, events: Object.fromEntries(totals.events), edges },
    verdict: report.faults.length === 0 ? 'ok' : 'failed',
  });
}
