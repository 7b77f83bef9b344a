import {
  CONTROL_ACKNOWLEDGED,
  CONTROL_ASLEEP,
  CONTROL_BASE,
  CONTROL_BATCH_CONSUMED,
  CONTROL_MESSAGES,
  CONTROL_PUBLISHED,
  RING_BASE,
  RING_SLOTS,
  RING_SLOT_BYTES,
} from '../../workers/kernel/layout.js';

const WORD = 4;
const PUBLISHED = CONTROL_PUBLISHED / WORD;
const ACKNOWLEDGED = CONTROL_ACKNOWLEDGED / WORD;
const ASLEEP = CONTROL_ASLEEP / WORD;
const CONSUMED = CONTROL_BATCH_CONSUMED / WORD;
const MESSAGES = CONTROL_MESSAGES / WORD;
// Values of ASLEEP.
const AWAKE = 0;
const WAITS_FOR_PARTS = 1;
const WAITS_FOR_PARTS_AND_ROOM = 2;

/**
 * The single-producer single-consumer ring of body parts in a shard's memory. The front publishes
 * descriptors, the shard acknowledges them in order. Positions are 32-bit and wrap.
 */
export class Ring {
  readonly #control: Int32Array;
  readonly #slots: Uint32Array;

  constructor(memory: WebAssembly.Memory) {
    this.#control = new Int32Array(memory.buffer, CONTROL_BASE, 256);
    this.#slots = new Uint32Array(memory.buffer, RING_BASE, (RING_SLOTS * RING_SLOT_BYTES) / WORD);
  }

  get published(): number {
    return Atomics.load(this.#control, PUBLISHED);
  }

  get acknowledged(): number {
    return Atomics.load(this.#control, ACKNOWLEDGED);
  }

  /** Field `offset` (PART_*) of the descriptor at a position. */
  get(position: number, offset: number): number {
    return this.#slots[this.#word(position, offset)]!;
  }

  set(position: number, offset: number, value: number): void {
    this.#slots[this.#word(position, offset)] = value;
  }

  /** Makes the descriptor at the head visible; true if the shard sleeps and wants the doorbell. */
  publish(): boolean {
    Atomics.store(this.#control, PUBLISHED, (this.published + 1) | 0);
    return Atomics.exchange(this.#control, ASLEEP, AWAKE) !== AWAKE;
  }

  acknowledge(count: number): void {
    Atomics.store(this.#control, ACKNOWLEDGED, (this.acknowledged + count) | 0);
  }

  /**
   * The shard is about to wait, if need be for room for answers too. It must look once more then:
   * of what came before this the doorbell tells nothing.
   */
  sleep(isRoomAwaited: boolean): void {
    Atomics.store(
      this.#control,
      ASLEEP,
      isRoomAwaited ? WAITS_FOR_PARTS_AND_ROOM : WAITS_FOR_PARTS,
    );
  }

  stayAwake(): void {
    Atomics.store(this.#control, ASLEEP, AWAKE);
  }

  get batchConsumed(): number {
    return Atomics.load(this.#control, CONSUMED);
  }

  /** Gives the batch's room back; true if the shard sleeps for want of it and wants the doorbell. */
  consumeBatch(batch: number): boolean {
    Atomics.store(this.#control, CONSUMED, batch);
    const waitsFor = Atomics.compareExchange(
      this.#control,
      ASLEEP,
      WAITS_FOR_PARTS_AND_ROOM,
      AWAKE,
    );
    return waitsFor === WAITS_FOR_PARTS_AND_ROOM;
  }

  /** Called before a message with queries is sent: a shard that reads parts sees it between two of them. */
  countMessage(): void {
    Atomics.store(this.#control, MESSAGES, (this.messages + 1) | 0);
  }

  /** Messages with queries that were sent so far; the count wraps. */
  get messages(): number {
    return Atomics.load(this.#control, MESSAGES);
  }

  #word(position: number, offset: number): number {
    return (((position >>> 0) % RING_SLOTS) * RING_SLOT_BYTES + offset) / WORD;
  }
}
