/** A rollback in a process that its parent kills. */
import { rollBack } from '../../src/deploy/backup.ts';

const [, , target = '', directory = ''] = process.argv;
process.stdout.write('begins\n');
await rollBack(target, directory, null);
