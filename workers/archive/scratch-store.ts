import type { Limits, StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import type { QueryTask } from '../../src/protocol/messages.js';
import type { JobStatsTask, SelectTask } from '../../src/protocol/select.js';
import { Engine } from '../engine/engine.js';
import type { Topologies } from '../engine/topology.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../kernel/kernel.js';
import { ANSWER_BASE, ANSWER_BYTES } from '../kernel/layout.js';
import type { Run, RunTurn } from '../query-queue.js';
import { Selections } from '../select/selections.js';

/** A store for one request: what it asks for is put in, then the request is answered as in a shard. */
export class ScratchStore {
  readonly #memory = createShardMemory();
  readonly #kernel: Kernel = instantiateKernel(this.#memory);
  readonly #engine: Engine;

  constructor(store: StoreConfig, limits: Limits) {
    this.#kernel.initShard(16);
    this.#engine = new Engine(this.#kernel, this.#memory, { ...store, shardCount: 1 }, limits);
    this.#engine.useSelections(Selections);
  }

  /** The series of these names, made if it is new; 0 if its metric is not configured. */
  seriesOf(cluster: string, host: string, metric: string, parts: readonly string[]): number {
    const [type = '', typeId = '', stype = '', stypeId = ''] = parts;
    return this.#engine.seriesFor({ metric, cluster, host, type, typeId, stype, stypeId });
  }

  append(series: number, timeSec: number, value: number): void {
    this.#kernel.appendSample(series, timeSec, value);
  }

  get topologies(): Topologies {
    return this.#engine.topologies;
  }

  begin(task: Pick<QueryTask, 'text'> | SelectTask | JobStatsTask): Run {
    if ('text' in task) return this.#engine.beginQuery(task.text, null);
    return 'jobStats' in task ? this.#engine.beginJobStats(task) : this.#engine.beginSelect(task);
  }

  /** A turn of a request; its bytes are a copy. Throws StoreError. */
  turn(run: Run, untilMs: number): Omit<RunTurn, 'bytes'> & { readonly bytes: Uint8Array } {
    const turn = run.turn(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES, untilMs);
    if (turn.result?.error) throw StoreError.fromData(turn.result.error);
    const bytes = new Uint8Array(turn.bytes);
    bytes.set(new Uint8Array(this.#memory.buffer, ANSWER_BASE, turn.bytes));
    return { ...turn, bytes };
  }
}
