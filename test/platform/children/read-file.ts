/** Opens a file (argument 2) for reading as another user (argument 1, a uid), both ways, and prints what it read or was refused. */
import fs from 'node:fs';
import { openReading, openReadingNow } from '../../../src/platform/open-reading.ts';

const [uid, path] = process.argv.slice(2) as [string, string];
// After the imports: that user need not be able to read this project.
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));
for (const opened of [openReadingNow(path), await openReading(path)]) {
  console.log(opened.ok ? fs.readFileSync(opened.value, 'utf8') : opened.error.errno);
}
