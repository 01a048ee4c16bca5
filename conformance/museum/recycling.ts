/** Bugs of files that are written again or gone: freed too soon, taken twice, found again as what they were, counted on. */
import type { Exhibit } from './exhibit.ts';

export const RECYCLING: readonly Exhibit[] = [
  {
    id: 'K84',
    bug: 'a file is written again before the acknowledge of what is in it is durable',
    file: 'src/core/flush.ts',
    search: '    const free = within ? files.take(source, bytes) : null;\n',
    replace:
      '    const idle = [...this.#disk.index.empty].find((each) => each.source === source && each.fileBytes >= bytes);\n' +
      '    const early = idle && { file: idle.file, source, bytes: idle.fileBytes, held: idle.number };\n' +
      '    const free = files.recycles && early ? early : within ? files.take(source, bytes) : null;\n',
  },
  {
    id: 'K85',
    bug: 'a free file is taken twice, and so is written over while it is read',
    file: 'src/core/segment-files.ts',
    search: '    if (best !== null) this.drop(best);\n',
    replace: '',
  },
  {
    id: 'K86',
    bug: 'the log does not say in which file a segment lies',
    file: 'src/core/checkpoint-image.ts',
    search:
      '  const out = list.item(file === number ? FRAME_SEGMENTS_ADDED : FRAME_SEGMENTS_PLACED);\n  out.u8(source);\n  out.varint(number);\n  if (file !== number) out.varint(file);\n',
    replace: '  const out = list.item(FRAME_SEGMENTS_ADDED);\n  out.u8(source);\n  out.varint(number);\n',
  },
  {
    id: 'K87',
    bug: 'checksums do not go by the segment, so what a file held before reads as what it holds now',
    file: 'src/core/segment.ts',
    search: '  writer.copy(storeId);\n  writer.u64(number);\n',
    replace: '  writer.copy(storeId);\n  writer.u64(number & 0);\n',
  },
  {
    id: 'K88',
    bug: 'a file is written again whose name a power cut can still take',
    file: 'src/core/recovery.ts',
    search: '    await this.#confirmNames();\n',
    replace: '',
  },
  {
    id: 'K89',
    bug: 'free files are kept above the quota',
    file: 'src/core/checkpoint.ts',
    search: 'sound && held <= limit && disk.files.keeps(bytes, otherBytes)',
    replace: 'sound && disk.files.keeps(bytes, otherBytes)',
  },
  {
    id: 'K94',
    bug: 'blocks are lost from the queue of a stream that has become short',
    file: 'src/core/disk-index.ts',
    search: 'left.length < TYPED_FROM_BLOCKS ? [...left] : left',
    replace: 'left',
  },
  {
    id: 'K93',
    bug: 'the next segment is put together in a buffer that is still being written from',
    file: 'src/core/flush.ts',
    search: '    const written = port.write(directory, name, 0, bytes).then((result) => {\n',
    replace:
      '    this.#disk.buffers.push(new Uint8Array(bytes.buffer));\n    const written = port.write(directory, name, 0, bytes).then((result) => {\n',
  },
  {
    id: 'K90',
    bug: 'what a recovery has removed still counts under the quota, so all that is live gives way to it',
    file: 'src/core/recovery.ts',
    search: 'bytes: removed.ok ? 0 : doomed.bytes, sound: false',
    replace: 'sound: false',
  },
  {
    id: 'K91',
    bug: 'files that went before the log could say so still count, so every segment gives way to the log',
    file: 'src/core/store-state.ts',
    search: '  for (const bytes of files.gone.values()) total -= bytes;\n',
    replace: '',
  },
  {
    id: 'K92',
    bug: 'segments give way to a log that has no room even without them',
    file: 'src/core/disk-space.ts',
    search: "'refuse-new' && logMayFit(state, disk)",
    replace: "'refuse-new' && (logMayFit(state, disk) || true)",
  },
];
