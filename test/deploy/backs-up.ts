/** Backup and rollback in a process of their own: only a process as a whole can change its user. */
import { backup, rollBack } from '../../src/deploy/backup.ts';

const [, , what = '', target = '', directory = '', config = ''] = process.argv;
if (what === 'backup') await backup(directory, config, target, '2');
else await rollBack(target, directory, config);
