import { DEFAULTS, type StoreConfig } from '../../src/config/config.js';
import type { Piece } from '../../src/routing/arena-piece.js';
import { hashHost } from '../../src/model/hash.js';
import { RunReader } from '../../src/routing/run-reader.js';
import type { ShardClient } from '../../src/routing/shard-client.js';
import { Counters } from '../../src/protocol/counters.js';
import { Ring } from '../../src/protocol/ring.js';
import { Engine } from '../../workers/engine/engine.js';
import type { Metric } from '../../workers/engine/metrics.js';
import { LineUnits } from '../../workers/ingest/line-units.js';
import { PartReader } from '../../workers/ingest/part-reader.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import * as layout from '../../workers/kernel/layout.js';
import { Retention } from '../../workers/retention.js';
import { NOW_SEC, RETENTION_SEC, type SentBody } from './line-grammar.js';

/** Samples by time, of series by the text of their place. */
export type Samples = Map<string, Map<number, number>>;

export interface Counts {
  written: number;
  ignored: number;
  rejected: number;
  lines: number;
}

/** What is left of a body when it has been read, and of all bodies in memory. */
export interface LinesSubject {
  write(body: SentBody): Counts;
  samples(): Samples;
}

const PIECE_SLOTS = 8192;
/** By the name that the parameter has. */
export const PRECISIONS: Readonly<Record<string, number>> = {
  '': layout.PRECISION_AUTO,
  s: layout.PRECISION_S,
  ms: layout.PRECISION_MS,
  us: layout.PRECISION_US,
  ns: layout.PRECISION_NS,
  m: layout.PRECISION_M,
  h: layout.PRECISION_H,
};
/** With a step of a second each sample is shown at its own time. */
export const METRICS: StoreConfig['metrics'] = Object.fromEntries(
  ['load', 'mem', 'flops_any', 'a b', 'mé'].map((name) => [
    name,
    { frequency: 1, aggregation: 'sum' as const, ...(name === 'mem' ? { unit: 'MB' } : {}) },
  ]),
);

/** The name of a series, by which stores and judges find it. */
export function placeOf(metric: string, path: readonly string[]): string {
  return JSON.stringify([metric, ...path]);
}

/** A shard's reader of parts, without its thread. */
class LineShard {
  readonly memory = createShardMemory();
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly index: number;
  readonly #ring: Ring;
  /** The shard has other work in between at two of three of its looks. */
  #looks = 0;
  readonly #reader: PartReader;
  readonly #series: { readonly name: string; readonly path: string[]; readonly metric: Metric }[] =
    [];

  constructor(index: number, shardCount: number) {
    this.index = index;
    const { memory } = this;
    this.kernel = instantiateKernel(memory);
    this.kernel.initShard(64);
    const store = { ...DEFAULTS.store, metrics: METRICS, shardCount, retentionSec: RETENTION_SEC };
    const limits = { ...DEFAULTS.limits };
    const counters = new Counters(memory);
    this.engine = new Engine(this.kernel, memory, store, limits);
    this.engine.onNewSeries = (sample, metric) => {
      const { cluster, host, type, typeId, stype, stypeId } = sample;
      const path = [cluster, host, type + typeId, stype + stypeId].filter((name) => name !== '');
      this.#series.push({ name: placeOf(metric.name, path), path, metric });
    };
    const retention = new Retention(this.kernel, this.engine, store, counters);
    retention.tick(NOW_SEC);
    this.#ring = new Ring(memory);
    const units = new LineUnits({ memory, store, rowsMax: 100, warn: () => undefined });
    this.#reader = new PartReader({
      memory,
      kernel: this.kernel,
      engine: this.engine,
      retention,
      ring: this.#ring,
      counters,
      limits,
      shardCount,
      durability: undefined,
      units,
      // Lines are many in a slice, or go over several.
      sliceBytes: 100,
    });
  }

  read(bytes: Uint8Array, { cluster, precision }: SentBody): Counts {
    const memory = Buffer.from(this.memory.buffer);
    const name = layout.ARENA_BASE + 64;
    const clusterBytes = memory.write(cluster, name);
    const from = name + 4096;
    memory.set(bytes, from);
    // What lies behind a part is that of another.
    memory.write('9.5e9i\n,x=1 "', from + bytes.length);
    const position = 0;
    const fields: [field: number, value: number][] = [
      [layout.PART_BODY, from],
      [layout.PART_BYTES, bytes.length],
      [layout.PART_CLUSTER, name],
      [layout.PART_CLUSTER_BYTES, clusterBytes],
      [layout.PART_PRECISION, PRECISIONS[precision]!],
      [layout.PART_ARRIVAL_SEC, NOW_SEC],
    ];
    for (const [field, value] of fields) this.#ring.set(position, field, value);
    do this.#reader.read(position, () => ++this.#looks % 3 > 0);
    while (this.#reader.isWithinPart);
    const told = (field: number): number => this.#ring.get(position, field);
    return {
      written: told(layout.PART_WRITTEN),
      ignored: told(layout.PART_IGNORED),
      rejected: told(layout.PART_REJECTED),
      lines: told(layout.PART_LINES),
    };
  }

  *series(): Generator<[name: string, Map<number, number>]> {
    const values = new Float64Array(this.memory.buffer, layout.QUERY_SCRATCH_BASE, PIECE_SLOTS);
    for (const { name, path, metric } of this.#series) {
      const series = this.engine.seriesOf(this.engine.tree.find(path)!, metric.index);
      const words = this.engine.words();
      const last = words[(series + layout.SERIES_LAST_SLOT) >>> 2]!;
      const slots = new Map<number, number>();
      for (let from = this.kernel.oldestSlot(series) >>> 0; from <= last; from += PIECE_SLOTS) {
        const count = Math.min(PIECE_SLOTS, last + 1 - from);
        this.kernel.readSeries(series, from, count, layout.QUERY_SCRATCH_BASE);
        for (let i = 0; i < count; i++)
          if (!Number.isNaN(values[i])) slots.set(from + i, values[i]!);
      }
      yield [name, slots];
    }
  }
}

/** What reads lines in a store of several shards, without threads: the front's kernel cuts bodies into runs. */
export class LineStore implements LinesSubject {
  readonly #shards: LineShard[];

  constructor(shardCount: number) {
    this.#shards = Array.from(
      { length: shardCount },
      (_, index) => new LineShard(index, shardCount),
    );
  }

  write(body: SentBody): Counts {
    const total = { written: 0, ignored: 0, rejected: 0, lines: 0 };
    for (const [shard, bytes] of this.#runs(body)) {
      const counts = shard.read(bytes, body);
      for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
    }
    return total;
  }

  samples(): Samples {
    const all: Samples = new Map();
    for (const shard of this.#shards) {
      for (const [name, slots] of shard.series()) {
        const [, cluster, host] = JSON.parse(name) as string[];
        const home = hashHost(cluster!, host!) % this.#shards.length;
        if (home !== shard.index) throw new Error(`${name} in shard ${shard.index}, not ${home}`);
        if (all.has(name)) throw new Error(`two series are ${name}`);
        all.set(name, slots);
      }
    }
    return all;
  }

  #runs({ bytes, cluster }: SentBody): [LineShard, Uint8Array][] {
    if (this.#shards.length === 1) return [[this.#shards[0]!, bytes]];
    const first = this.#shards[0]!;
    const memory = Buffer.from(first.memory.buffer);
    const from = layout.ARENA_BASE + 32 * 1024 * 1024;
    memory.set(bytes, from);
    const end = from + bytes.length;
    const piece = { shard: { kernel: first.kernel }, bytes: memory } as unknown as Piece;
    const clients = this.#shards as unknown as ShardClient[];
    const reader = new RunReader(clients, cluster, Buffer.from(cluster));
    const runs: [LineShard, Uint8Array][] = [];
    for (let at = from; at < end;) {
      const run = reader.read(piece, at, end);
      if (run.until <= at || run.until > end) throw new Error(`a run until ${run.until - from}`);
      runs.push([run.shard as unknown as LineShard, bytes.subarray(at - from, run.until - from)]);
      at = run.until;
    }
    return runs;
  }
}
