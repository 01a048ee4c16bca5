/**
 * Gives every 32-bit word of every CAN id a sensor id of its own: (bus, id, word) -> uint32, injective.
 *
 *   bus seen first, 29-bit id, word 0..6     word x 2^29 + id                  0x00000000 .. 0xDFFFFFFF
 *   bus seen first, 11-bit id, word 0..15    0xE0000000 + word x 2^11 + id     0xE0000000 .. 0xE0007FFF
 *   everything else, in order of appearance  0xF0000000 + n                    0xF0000000 .. 0xFFFFFFFF
 *
 * So the first word of a frame with a 29-bit id has that id as its sensor id. 29 bits and 16 words do not fit into 32
 * bits: words 7 and later of such an id (CAN FD, or a message put together from several frames), and further buses, are
 * numbered as they come. What is numbered is part of the plan, so that every pass gives the same numbers.
 */

const ID_BITS = 29;
const EXTENDED_WORDS = 7;
const STANDARD_BASE = 0xe000_0000;
const STANDARD_ID_BITS = 11;
const STANDARD_WORDS = 16;
const NUMBERED_BASE = 0xf000_0000;
/** A store takes 4,096 streams; what is beyond twice that could only belong to records that are skipped anyway. */
const NUMBERED_MAX = 8192;

/** The state that a later pass needs to give the same ids; plain data. */
export interface CanSensorTable {
  readonly firstBus: string | null;
  readonly numbered: readonly string[];
}

export class CanSensors {
  #firstBus: string | null;
  readonly #numbers = new Map<string, number>();
  /** Names of numbered words, in order. */
  readonly #numbered: string[] = [];

  constructor(table: CanSensorTable = { firstBus: null, numbered: [] }) {
    this.#firstBus = table.firstBus;
    for (const name of table.numbered) this.#number(name);
  }

  get table(): CanSensorTable {
    return { firstBus: this.#firstBus, numbered: [...this.#numbered] };
  }

  /** @param id below 2^29 when `extended`, else below 2^11. @returns the sensor id, or -1 when the numbers are used up. */
  sensorOf(bus: string, id: number, extended: boolean, word: number): number {
    this.#firstBus ??= bus;
    if (bus === this.#firstBus) {
      if (extended && word < EXTENDED_WORDS) return word * 2 ** ID_BITS + id;
      if (!extended && word < STANDARD_WORDS) return STANDARD_BASE + word * 2 ** STANDARD_ID_BITS + id;
    }
    return this.#number(wordName(bus, id, extended, word));
  }

  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#numbered.length >= NUMBERED_MAX) return -1;
    const sensor = NUMBERED_BASE + this.#numbered.length;
    this.#numbered.push(name);
    this.#numbers.set(name, sensor);
    return sensor;
  }

  /** The word behind a sensor id, for people: `can0 09F80102 word 1`. */
  nameOf(sensor: number): string {
    if (sensor >= NUMBERED_BASE) return this.#numbered[sensor - NUMBERED_BASE] ?? `sensor ${sensor}`;
    const bus = this.#firstBus ?? '';
    if (sensor >= STANDARD_BASE) {
      const offset = sensor - STANDARD_BASE;
      return wordName(bus, offset % 2 ** STANDARD_ID_BITS, false, offset >>> STANDARD_ID_BITS);
    }
    return wordName(bus, sensor % 2 ** ID_BITS, true, Math.floor(sensor / 2 ** ID_BITS));
  }
}

function wordName(bus: string, id: number, extended: boolean, word: number): string {
  const hex = id
    .toString(16)
    .toUpperCase()
    .padStart(extended ? 8 : 3, '0');
  return `${bus} ${hex} word ${word}`;
}
