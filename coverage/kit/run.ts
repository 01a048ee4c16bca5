/**
 * First half of `npm run conformance:coverage`: the kit's own modes, without a unit test, in processes that c8 watches.
 * A mode that fails ends it.
 */
import { COVERAGE_LINES } from './lines.ts';
import { start } from './start.ts';

for (const each of COVERAGE_LINES) {
  console.log(`\n${each.script} ${each.line.join(' ')}`);
  const code = await start(each, ['--no-evidence', '--out', 'coverage/out/found']);
  if (code !== 0) {
    console.error(`conformance:coverage: the mode ${each.mode} ended with ${code}: see above`);
    process.exitCode = 1;
    break;
  }
}
