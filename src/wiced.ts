/**
 * The store on a microcontroller: RAM only, everything that holds state in 12 KiB, loads in a bare ECMAScript engine.
 * Nothing but the language is used; clock and store id come from the caller.
 *
 * What counts against the budget: stream table, sector table, sectors, loss ledger. What does not: the engine's code
 * and the handles, which belong to the runtime.
 */
import type { Result } from './core/codes.ts';
import { resolveBudget } from './core/config.ts';
import { Engine } from './core/engine.ts';
import { SectorPool } from './core/sector-pool.ts';
import type { EngineEvent } from './core/types.ts';
import { createWicedPlatform } from './platform/wiced.ts';

export {
  APPEND_CLOSED,
  APPEND_INVALID,
  CODE_MEANINGS,
  RAM_FULL,
  refusalCode,
} from './core/codes.ts';
export { Engine } from './core/engine.ts';
export { RecordBatch } from './core/record-batch.ts';

/** Contract section 6: pool and metadata together. */
export const WICED_BUDGET_BYTES = 12 * 1024;
/** Contract section 6: at least 100 streams. */
export const WICED_STREAMS = 100;
const WICED_SECTOR_BYTES = 32;
const WICED_LEDGER_ENTRIES = 16;

export interface WicedOptions {
  /** UTC milliseconds, a whole number. */
  readonly clock: () => number;
  /** 16 bytes, different at every start: a restart is a new store. */
  readonly storeId: Uint8Array;
  readonly budgetBytes?: number;
  readonly streamsMax?: number;
  readonly sectorBytes?: number;
  readonly ledgerMax?: number;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** The small buffers beside the arena: the store's id and its copies. */
const BESIDE_ARENA_BYTES = 48;

/** Opens a RAM-only store within the budget. @returns CONFIG_INVALID naming the setting. */
export async function openWicedStore(options: WicedOptions): Promise<Result<Engine>> {
  const settings = resolveBudget(
    options.budgetBytes ?? WICED_BUDGET_BYTES,
    options.streamsMax ?? WICED_STREAMS,
    options.sectorBytes ?? WICED_SECTOR_BYTES,
    options.ledgerMax ?? WICED_LEDGER_ENTRIES,
    (sectors, streamsMax, ledgerMax) =>
      SectorPool.planBytes({
        sectors,
        sectorBytes: options.sectorBytes ?? WICED_SECTOR_BYTES,
        streamsMax,
        ledgerMax,
        disk: false,
      }) + BESIDE_ARENA_BYTES,
  );
  if (!settings.ok) return settings;
  const platform = createWicedPlatform({
    clock: options.clock,
    storeId: options.storeId,
  });
  return Engine.open(platform, settings.value, options.onEvent === undefined ? {} : { onEvent: options.onEvent });
}
