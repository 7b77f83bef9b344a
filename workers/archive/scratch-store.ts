import type { Limits, StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import { Engine } from '../engine/engine.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../kernel/kernel.js';
import { ANSWER_BASE, ANSWER_BYTES } from '../kernel/layout.js';

/** A store for one request: what it asks for is put in, then the request is answered as in a shard. */
export class ScratchStore {
  readonly #memory = createShardMemory();
  readonly #kernel: Kernel = instantiateKernel(this.#memory);
  readonly #engine: Engine;

  constructor(store: StoreConfig, limits: Limits) {
    this.#kernel.initShard(16);
    this.#engine = new Engine(this.#kernel, this.#memory, { ...store, shardCount: 1 }, limits);
  }

  /** The series of these names, made if it is new; 0 if its metric is not configured. */
  seriesOf(cluster: string, host: string, metric: string, parts: readonly string[]): number {
    const [type = '', typeId = '', stype = '', stypeId = ''] = parts;
    return this.#engine.seriesFor({ metric, cluster, host, type, typeId, stype, stypeId });
  }

  append(series: number, timeSec: number, value: number): void {
    this.#kernel.appendSample(series, timeSec, value);
  }

  /** Answers a request; the JSON text of the answer. Throws StoreError. */
  query(text: string): Uint8Array {
    const run = this.#engine.beginQuery(text, null);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const end = ANSWER_BASE + ANSWER_BYTES;
      const { bytes, isDone, result } = run.turn(ANSWER_BASE, end, Infinity);
      if (result?.error) throw StoreError.fromData(result.error);
      pieces.push(new Uint8Array(this.#memory.buffer, ANSWER_BASE, bytes).slice());
      if (isDone) return Buffer.concat(pieces);
    }
  }
}
