import {
  PART_ARRIVAL_SEC,
  PART_BODY,
  PART_BYTES,
  PART_CLUSTER,
  PART_CLUSTER_BYTES,
  PART_FAILED,
  PART_HAS_EXAMPLES,
  PART_IGNORED,
  PART_LINES,
  PART_PRECISION,
  PART_REJECTED,
  PART_WRITTEN,
  RING_SLOTS,
} from '../../workers/kernel/layout.js';
import { StoreError } from '../model/errors.js';
import type { FromShard, PartExamples } from '../protocol/messages.js';
import { Ring } from '../protocol/ring.js';
import type { RejectedLine } from './store.js';

/** One run of lines for one shard, already in that shard's memory. */
export interface Part {
  readonly address: number;
  readonly bytes: number;
  /** Address and bytes of the default cluster's name in the same memory; 0 bytes = none. */
  readonly cluster: number;
  readonly clusterBytes: number;
  readonly precision: number;
  readonly done: (result: PartResult | StoreError) => void;
}

export interface PartResult {
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly lines: number;
  readonly first: readonly RejectedLine[];
  /** Of the rejected lines, those that there may be room for later. */
  readonly noRoom?: number;
}

/** Shared, so that bodies without examples leave nothing behind. */
const NONE: readonly never[] = [];

/** Parts on their way through the ring of a shard, in their order. */
export class PartRing {
  readonly #ring: Ring;
  /**
   * By position modulo their number. A list that shifts and grows leaves its former tables behind, and
   * those that are old keep the parts of later bodies from the collector until it looks at all.
   */
  readonly #parts: (Part | undefined)[] = Array.from({ length: RING_SLOTS });
  /** Position of the first of them, and the one behind the last. */
  #from: number;
  #until: number;
  readonly #examples = new Map<number, PartExamples>();
  #logFailure = '';

  constructor(memory: WebAssembly.Memory) {
    this.#ring = new Ring(memory);
    this.#from = this.#ring.published;
    this.#until = this.#from;
  }

  get count(): number {
    return (this.#until - this.#from) | 0;
  }

  /** A part that the shard is done with has its slot until it is settled: its result lies there. */
  get isFull(): boolean {
    return this.count >= RING_SLOTS;
  }

  /** The caller has seen that there is room. True: the shard sleeps, and has to be woken. */
  publish(part: Part, arrivalSec: number): boolean {
    const ring = this.#ring;
    const position = ring.published;
    ring.set(position, PART_BODY, part.address);
    ring.set(position, PART_BYTES, part.bytes);
    ring.set(position, PART_CLUSTER, part.cluster);
    ring.set(position, PART_CLUSTER_BYTES, part.clusterBytes);
    ring.set(position, PART_PRECISION, part.precision);
    ring.set(position, PART_ARRIVAL_SEC, arrivalSec);
    this.#parts[slotOf(position)] = part;
    this.#until = (position + 1) | 0;
    return ring.publish();
  }

  /** Tells those whose parts the shard has acknowledged. True: there were some. */
  settle({ logFailure, examples }: FromShard): boolean {
    if (logFailure !== undefined) this.#logFailure = logFailure;
    for (const one of examples ?? NONE) this.#examples.set(one.position, one);
    const ring = this.#ring;
    const first = this.#from;
    while (((ring.acknowledged - this.#from) | 0) > 0) {
      const position = this.#from;
      if (ring.get(position, PART_HAS_EXAMPLES) === 1 && !this.#examples.has(position)) break;
      const isFailed = ring.get(position, PART_FAILED) === 1;
      // Why is in a message that is still on its way.
      if (isFailed && this.#logFailure === '') break;
      const told = this.#examples.get(position);
      this.#examples.delete(position);
      const part = this.#take();
      if (isFailed) {
        part.done(new StoreError('log-failed', `samples can not be kept: ${this.#logFailure}`));
        continue;
      }
      part.done({
        written: ring.get(position, PART_WRITTEN),
        ignored: ring.get(position, PART_IGNORED),
        rejected: ring.get(position, PART_REJECTED),
        lines: ring.get(position, PART_LINES),
        first: told?.first ?? NONE,
        noRoom: told?.noRoom ?? 0,
      });
    }
    return this.#from !== first;
  }

  /** The first part, which is one no more. */
  #take(): Part {
    const slot = slotOf(this.#from);
    const part = this.#parts[slot]!;
    this.#parts[slot] = undefined;
    this.#from = (this.#from + 1) | 0;
    return part;
  }

  /** The shard is gone. */
  failAll(error: StoreError): void {
    while (this.count > 0) this.#take().done(error);
  }

  /** A message with queries is about to be sent. */
  countMessage(): void {
    this.#ring.countMessage();
  }

  /** The shard's batch of answers was taken. True: it sleeps, and has to be woken. */
  consumeBatch(batch: number): boolean {
    return this.#ring.consumeBatch(batch);
  }
}

function slotOf(position: number): number {
  return (position >>> 0) % RING_SLOTS;
}
