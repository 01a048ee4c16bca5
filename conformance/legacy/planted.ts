/**
 * Bugs of the old kind, each planted in the layer of the old calls: whether the judge finds anything there is seen on
 * these. Each is the memory manager with one call that is wrong.
 */
import type { ResultCode } from '../../src/legacy/codes.ts';
import { BOUNDS_VIOLATION, SUCCESS } from '../../src/legacy/codes.ts';
import { LegacyMemoryManager } from '../../src/legacy/manager.ts';
import { sourceOf } from '../../src/legacy/shapes.ts';
import type { SensorStream } from '../../src/store.ts';
import type { Calls, MakeManager } from './legacy-store.ts';

export interface PlantedBug {
  readonly id: string;
  readonly bug: string;
  /** The way of calling in which it shows. */
  readonly calls: Calls;
  readonly Manager: MakeManager;
}

/** Streams of a source, or of an entry's sensor alone. */
function streamsOf(mm: LegacyMemoryManager, csdType: unknown): readonly SensorStream[] {
  return mm.store?.streams().filter(({ source }) => source === sourceOf(csdType)) ?? [];
}

function streamOf(mm: LegacyMemoryManager, csb: unknown, index: unknown): SensorStream | undefined {
  const { id, csd_type = 0 } = (csb as { id: number; csd_type?: number }[])[index as number] ?? { id: -1 };
  return streamsOf(mm, csd_type).find(({ sensor }) => sensor === id);
}

export const PLANTED: readonly PlantedBug[] = [
  {
    id: 'read-consumes',
    bug: 'a read erases what it gives',
    calls: 'entry',
    Manager: class extends LegacyMemoryManager {
      override readEntry(...args: Parameters<LegacyMemoryManager['readEntry']>): ResultCode {
        const code = super.readEntry(...args);
        if (code === SUCCESS) super.eraseEntry(args[0], args[1], args[2]);
        return code;
      }
    },
  },
  {
    id: 'source-read-consumes',
    bug: 'a read over a source erases what it gives',
    calls: 'source',
    Manager: class extends LegacyMemoryManager {
      override read(...args: Parameters<LegacyMemoryManager['read']>): ResultCode {
        const code = super.read(...args);
        if (code === SUCCESS) super.erase(args[0], 1);
        return code;
      }
    },
  },
  {
    id: 'erase-takes-unread',
    bug: 'an erase takes what was not read',
    calls: 'source',
    Manager: class extends LegacyMemoryManager {
      override erase(csdType: unknown, count: unknown): ResultCode {
        const code = super.erase(csdType, count);
        const stream = streamsOf(this, csdType).find(({ marks }) => marks.retained >= (count as number));
        if (code !== BOUNDS_VIOLATION || stream === undefined) return code;
        stream.discard(count as number);
        return SUCCESS;
      }
    },
  },
  {
    id: 'error-is-zero',
    bug: 'a read that finds nothing gives the value 0',
    calls: 'entry',
    Manager: class extends LegacyMemoryManager {
      override readEntry(...args: Parameters<LegacyMemoryManager['readEntry']>): ResultCode {
        const code = super.readEntry(...args);
        if (code !== BOUNDS_VIOLATION) return code;
        Object.assign(args[3] as object, { value: 0, utc_time_ms: 0 });
        return SUCCESS;
      }
    },
  },
  {
    id: 'revert-forgotten',
    bug: 'a failed upload leaves the cursor where it was',
    calls: 'mixed',
    Manager: class extends LegacyMemoryManager {
      override revertEntry(): ResultCode {
        return SUCCESS;
      }
    },
  },
  {
    id: 'disk-looks-empty',
    bug: 'what is on disk is not ready at once, and is called empty',
    calls: 'entry',
    Manager: class extends LegacyMemoryManager {
      override readEntry(...args: Parameters<LegacyMemoryManager['readEntry']>): ResultCode {
        const marks = streamOf(this, args[0], args[2])?.marks;
        return marks !== undefined && marks.unread > 0 && marks.read < marks.synced
          ? BOUNDS_VIOLATION
          : super.readEntry(...args);
      }
    },
  },
  {
    id: 'erase-takes-all',
    bug: 'an erase of some takes all that was read',
    calls: 'source',
    Manager: class extends LegacyMemoryManager {
      override erase(csdType: unknown, count: unknown): ResultCode {
        const code = super.erase(csdType, count);
        for (const stream of code === SUCCESS && count !== 0 ? streamsOf(this, csdType) : [])
          stream.acknowledge(stream.marks.pending);
        return code;
      }
    },
  },
];
