/** The laws of the platform port, in the order in which they are tried. Each is a sentence that the engine relies on. */
import { CONTENT_LAWS } from './content.ts';
import { CRASH_LAWS } from './crashes.ts';
import { HOLDING_LAWS } from './holding.ts';
import type { Law } from './law.ts';
import { NAME_LAWS } from './names.ts';

export const PORT_LAWS: readonly Law[] = [...CONTENT_LAWS, ...NAME_LAWS, ...HOLDING_LAWS, ...CRASH_LAWS];
