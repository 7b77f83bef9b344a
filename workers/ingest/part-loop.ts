import type { FromShard, PartExamples } from '../../src/protocol/messages.js';
import type { Ring } from '../../src/protocol/ring.js';
import type { Durability } from '../durability.js';
import {
  PART_FAILED,
  PART_HAS_EXAMPLES,
  PART_IGNORED,
  PART_LINES,
  PART_REJECTED,
  PART_WRITTEN,
} from '../kernel/layout.js';
import type { PartReader } from './part-reader.js';

/** Parts that were read are acknowledged after this long, if half of those that waited are among them. */
const ACKNOWLEDGE_MS = 0.2;

export interface PartLoopParts {
  readonly ring: Ring;
  readonly reader: Pick<PartReader, 'read' | 'isWithinPart' | 'leavePart'>;
  readonly durability: Pick<Durability, 'failure' | 'flush'> | undefined;
  /** Sends to the front, which looks for what is acknowledged when a message comes. */
  readonly send: (message: FromShard) => void;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** Reads the parts of a ring in their order; for some of them at once the log is written, then they are acknowledged. */
export class PartLoop {
  readonly #parts: PartLoopParts;
  readonly #now: () => number;

  constructor(parts: PartLoopParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** Whether there are parts that have not been read to their end. */
  get hasWork(): boolean {
    const { ring } = this.#parts;
    return ring.acknowledged !== ring.published;
  }

  /** The last one was begun, and is not at its end. */
  get isWithinPart(): boolean {
    return this.#parts.reader.isWithinPart;
  }

  /**
   * Goes on while there are parts, until `mustStop`, which may be within one. `isAlone`: half of those that wait are
   * acknowledged while the other half is still to be read, else front and clients have nothing to do while the
   * shard reads, and the shard nothing while they send. Beside queries all of them have work, and one message
   * takes less of it than several. Returns how many parts were read.
   */
  read(isAlone: boolean, mustStop: () => boolean): number {
    let total = 0;
    for (;;) {
      const read = this.#readSome(isAlone, mustStop);
      total += read;
      if (read === 0 || this.isWithinPart || mustStop()) return total;
    }
  }

  /** Those that one write of the log and one message are for. */
  #readSome(isAlone: boolean, mustStop: () => boolean): number {
    const { ring, reader, durability } = this.#parts;
    const began = this.#now();
    const from = ring.acknowledged;
    const half = ((ring.published - from) | 0) / 2;
    const examples: PartExamples[] = [];
    let failure = durability?.failure ?? '';
    let read = 0;
    while (((from + read) | 0) !== ring.published) {
      const position = (from + read) | 0;
      if (failure !== '') this.#refuse(position);
      else {
        const ofPart = reader.read(position, mustStop);
        if (reader.isWithinPart) break;
        if (ofPart) examples.push(ofPart);
      }
      read++;
      if (isAlone && read >= half && this.#now() - began >= ACKNOWLEDGE_MS) break;
      if (mustStop()) break;
    }
    if (read === 0) return 0;
    if (failure === '' && durability && !durability.flush()) {
      failure = durability.failure || 'the log could not be written';
      for (let i = 0; i < read; i++) ring.set((from + i) | 0, PART_FAILED, 1);
    }
    ring.acknowledge(read);
    // What failed is stored, but not for sure.
    this.#parts.send({ examples, logFailure: failure === '' ? undefined : failure });
    return read;
  }

  #refuse(position: number): void {
    const { ring, reader } = this.#parts;
    reader.leavePart();
    for (const field of [
      PART_WRITTEN,
      PART_IGNORED,
      PART_REJECTED,
      PART_LINES,
      PART_HAS_EXAMPLES,
    ]) {
      ring.set(position, field, 0);
    }
    ring.set(position, PART_FAILED, 1);
  }
}
