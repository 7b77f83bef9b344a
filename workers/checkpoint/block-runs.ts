import type { Kernel } from '../kernel/kernel.js';
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  SAVED_RUN_BYTES,
  SAVED_RUN_ID,
  SAVED_RUN_SIZE,
  STAGING_BASE,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
} from '../kernel/layout.js';

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
 * The runs in the first so many bytes of a section of blocks, which lies at the start of the staging
 * region. A restart has the kernel read them; this is for who looks at them. Throws if they make no
 * sense.
 */
export function* readRuns(kernel: Kernel, section: Buffer, bytes: number): Generator<BlockRun> {
  let at = 0;
  while (at < bytes) {
    const first = at + SAVED_RUN_BYTES;
    const size = first > bytes ? 0 : section.readUInt32LE(at + SAVED_RUN_SIZE);
    if (size === 0 || first + size > bytes) throw new Error('a run of blocks makes no sense');
    const id = section.readUInt32LE(at + SAVED_RUN_ID);
    yield { id, blocks: readBlocks(kernel, section, first, first + size) };
    at = first + size;
  }
}

/** The blocks between two bytes of the staging region. Throws if they make no sense. */
export function readBlocks(
  kernel: Kernel,
  section: Buffer,
  from: number,
  until: number,
): BlockView[] {
  const blocks: BlockView[] = [];
  for (let at = from; at < until;) {
    const bytes = at + BLOCK_HEADER_BYTES > until ? 0 : kernel.blockBytes(STAGING_BASE + at);
    if (bytes < BLOCK_HEADER_BYTES || bytes > BLOCK_BYTES_MAX || at + bytes > until) {
      throw new Error('a block makes no sense');
    }
    const word = section.readUInt32LE(at + BLOCK_WORD);
    blocks.push({
      at,
      bytes,
      startSlot: section.readUInt32LE(at + BLOCK_START),
      slots: (word & 127) + 1,
      samples: ((word >>> WORD_COUNT_SHIFT) & 127) + 1,
      codec: CODECS[(word >>> WORD_CODEC_SHIFT) & 7] ?? 'unknown',
      min: section.readDoubleLE(at + BLOCK_MIN),
      max: section.readDoubleLE(at + BLOCK_MAX),
    });
    at += bytes;
  }
  return blocks;
}
