/** The 22 invariants of contract section 8, in order. To add one, write the object and put it here. */
import { containment, diskBound, durable, oldestFirst, prefix } from './disk.ts';
import { failedFlush, returnToRam, threshold } from './flushing.ts';
import { exactContent, identityOnce } from './identity.ts';
import type { Invariant } from './invariant.ts';
import { conservation, countersTell, isolation, marksOrdered, nothingUnasked, revertRestores } from './marks.ts';
import { diskBeforeRam, oneOwner, onePlace, ramBound } from './placement.ts';
import { recoveryIdempotent, restriction } from './recovery.ts';

export type { Invariant, InvariantId, Step } from './invariant.ts';

export const invariants: readonly Invariant[] = [
  marksOrdered,
  conservation,
  exactContent,
  oneOwner,
  onePlace,
  diskBeforeRam,
  ramBound,
  threshold,
  returnToRam,
  diskBound,
  oldestFirst,
  nothingUnasked,
  revertRestores,
  failedFlush,
  durable,
  prefix,
  identityOnce,
  recoveryIdempotent,
  containment,
  isolation,
  restriction,
  countersTell,
];
