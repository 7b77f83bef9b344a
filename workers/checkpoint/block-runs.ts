import type { Kernel } from '../kernel/kernel.js';
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  QUERY_SCRATCH_BASE,
  SAVED_RUN_ID,
  SAVED_RUN_SIZE,
  SAVED_RUN_START,
  SHORT_HEADER_BYTES,
  STAGING_BASE,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
} from '../kernel/layout.js';
import { runBytesOf, type ReadSection } from './section-file.js';

/** Where a block is laid out as it is in memory. */
const BLOCK_BASE = QUERY_SCRATCH_BASE;
const CODECS = ['constant', 'for32', 'for64', 'delta', 'raw'];

/** A sealed block, as its header tells. */
export interface BlockView {
  /** Byte of the section. */
  readonly at: number;
  readonly bytes: number;
  readonly startSlot: number;
  readonly slots: number;
  /** Present, of those slots. */
  readonly samples: number;
  readonly codec: string;
  readonly min: number;
  readonly max: number;
}

/** The blocks of one series that lie one behind the other in a section. */
export interface BlockRun {
  /** Number of the series. */
  readonly id: number;
  readonly blocks: readonly BlockView[];
}

/**
 * The runs in a section of blocks, which lies at the start of the staging region, `area`. A restart has
 * the kernel read them; this is for who looks at them. Throws if they make no sense.
 */
export function* readRuns(
  kernel: Kernel,
  area: Buffer,
  section: Pick<ReadSection, 'kind' | 'bytes'>,
): Generator<BlockRun> {
  const runBytes = runBytesOf(section.kind);
  const end = section.bytes.length;
  let at = 0;
  while (at < end) {
    const first = at + runBytes;
    const size = first > end ? 0 : area.readUInt32LE(at + SAVED_RUN_SIZE);
    if (size === 0 || first + size > end) throw new Error('a run of blocks makes no sense');
    const id = area.readUInt32LE(at + SAVED_RUN_ID);
    const start = runBytes > SAVED_RUN_START ? area.readUInt32LE(at + SAVED_RUN_START) : 0;
    yield { id, blocks: readBlocks(kernel, area, start, first, first + size) };
    at = first + size;
  }
}

/**
 * The blocks between two bytes of the staging region, `area`; the first one begins at slot `start` if its
 * header does not say where. Throws if they make no sense.
 */
export function readBlocks(
  kernel: Kernel,
  area: Buffer,
  start: number,
  from: number,
  until: number,
): BlockView[] {
  const whole = new DataView(area.buffer, BLOCK_BASE, BLOCK_HEADER_BYTES);
  const blocks: BlockView[] = [];
  let next = start;
  for (let at = from; at < until;) {
    const bytes = at + SHORT_HEADER_BYTES > until ? 0 : kernel.savedBytes(STAGING_BASE + at);
    if (bytes < SHORT_HEADER_BYTES || bytes > BLOCK_BYTES_MAX || at + bytes > until) {
      throw new Error('a block makes no sense');
    }
    kernel.unpackBlock(STAGING_BASE + at, next, BLOCK_BASE);
    const word = whole.getUint32(BLOCK_WORD, true);
    const startSlot = whole.getUint32(BLOCK_START, true);
    const slots = (word & 127) + 1;
    blocks.push({
      at,
      bytes,
      startSlot,
      slots,
      samples: ((word >>> WORD_COUNT_SHIFT) & 127) + 1,
      codec: CODECS[(word >>> WORD_CODEC_SHIFT) & 7] ?? 'unknown',
      min: whole.getFloat64(BLOCK_MIN, true),
      max: whole.getFloat64(BLOCK_MAX, true),
    });
    next = startSlot + slots;
    at += bytes;
  }
  return blocks;
}
