/** The report as JUnit XML, which CI systems draw: a suite for modes, demands, gates and the baseline each. */
import type { Report } from './build.ts';
import { escaped } from './markup.ts';

interface Case {
  readonly name: string;
  readonly seconds?: number;
  /** Why it failed. */
  readonly failure?: string;
  /** Why nothing can be said. */
  readonly skipped?: string;
}

function suite(name: string, cases: readonly Case[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.skipped !== undefined).length;
  const lines = cases.map((each) => {
    const open = `    <testcase classname="conformance.${escaped(name)}" name="${escaped(each.name)}" time="${(each.seconds ?? 0).toFixed(3)}"`;
    if (each.failure !== undefined) return `${open}><failure message="${escaped(each.failure)}"/></testcase>`;
    if (each.skipped !== undefined) return `${open}><skipped message="${escaped(each.skipped)}"/></testcase>`;
    return `${open}/>`;
  });
  return [
    `  <testsuite name="${escaped(name)}" tests="${cases.length}" failures="${failures}" skipped="${skipped}">`,
    ...lines,
    '  </testsuite>',
  ].join('\n');
}

/** A demand that only a long run can meet fails no build: it is skipped, with what was measured. */
export function asJunit({ modes, demands, gates, baseline }: Report): string {
  const suites = [
    suite(
      'modes',
      modes.map(({ mode, seconds, failures, command, recorded }) => ({
        name: recorded ? `${mode} (recorded)` : mode,
        seconds,
        ...(failures > 0 ? { failure: `${failures} failures: ${command}` } : {}),
      })),
    ),
    suite(
      'demands',
      demands.map(({ id, demand, status, measured, command }) => ({
        name: `${id} ${demand}`,
        ...(status === 'met' || status === 'held by a test' ? {} : { skipped: `${status}: ${measured} (${command})` }),
      })),
    ),
    suite(
      'gates',
      gates.map(({ measure, measured, least, met }) => ({
        name: measure,
        ...(met ? {} : { failure: `${measured ?? 'not measured'}, at least ${least}` }),
      })),
    ),
    suite(
      'baseline',
      baseline.map(({ measure, before, now, dropped }) => ({
        name: measure,
        ...(dropped ? { failure: `${now}, it was ${before}` } : {}),
      })),
    ),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="conformance">\n${suites.join('\n')}\n</testsuites>\n`;
}
