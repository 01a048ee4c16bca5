/** What `--version` says: the name old installations look for, and every version that a report of a fault needs. */
import manifest from '../../package.json' with { type: 'json' };
import { FORMAT_VERSION } from '../index.ts';

export const versionText = (): string =>
  `MEMORY_V2 ${manifest.name} ${manifest.version} (storage format ${FORMAT_VERSION}, Node ${process.versions.node})`;

export const packageVersion = (): string => manifest.version;
