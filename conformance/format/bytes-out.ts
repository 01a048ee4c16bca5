/** Little-endian numbers into bytes, as docs/format.md writes them; made without the engine, for files that it is to find. */

export class Bytes {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  whole(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  little(value: number, bytes: number): this {
    for (let i = 0, rest = value; i < bytes; i++, rest = Math.floor(rest / 256)) this.#bytes.push(rest % 256);
    return this;
  }

  copy(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  varint(value: number): this {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push((rest % 128) + 128);
    this.#bytes.push(rest);
    return this;
  }

  zigzag(value: number): this {
    return this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }
}
