import type { Limits, StoreConfig } from '../../src/config/config.js';
import type { ClusterDescription, ClusterMetric } from '../../src/model/cluster.js';
import { MetricUnits } from '../../src/units/metric-units.js';
import type { AnswerWriter } from '../engine/answer-writer.js';
import { Combiner } from '../engine/combine.js';
import type { LevelTree } from '../engine/level-tree.js';
import type { Metrics } from '../engine/metrics.js';
import type { Regrid } from '../engine/regrid.js';
import type { SeriesIn } from '../engine/select.js';
import { StatisticsTaker } from '../engine/statistics.js';
import type { Topologies } from '../engine/topology.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_STAGGER } from '../kernel/layout.js';
import { Accumulator } from './accumulate.js';
import { AggregateCache } from './aggregate-cache.js';
import { GroupCache } from './group-cache.js';
import { HostUnitsCache } from './parts.js';
import { UnitFinder } from './units.js';

/** What a shard's engine gives. */
export interface SelectParts {
  readonly kernel: Kernel;
  readonly memory: WebAssembly.Memory;
  readonly tree: LevelTree;
  readonly metrics: Metrics;
  readonly regrid: Regrid;
  readonly topologies: Topologies;
  readonly store: StoreConfig;
  readonly limits: Limits;
  readonly seriesIn: SeriesIn;
  readonly writer: AnswerWriter;
  /** A view of all memory there is now. */
  readonly words: () => Uint32Array;
}

/** What all selections of a shard are answered with. */
export class SelectTools {
  readonly kernel: Kernel;
  readonly memory: WebAssembly.Memory;
  readonly tree: LevelTree;
  readonly metrics: Metrics;
  readonly regrid: Regrid;
  readonly store: StoreConfig;
  readonly limits: Limits;
  readonly writer: AnswerWriter;
  readonly words: () => Uint32Array;
  readonly topologies: Topologies;
  readonly units: UnitFinder;
  readonly hostUnits: HostUnitsCache;
  readonly groups = new GroupCache();
  readonly combiner: Combiner;
  readonly cache: AggregateCache;
  readonly accumulator: Accumulator;
  readonly statistics: StatisticsTaker;
  #metricUnits!: MetricUnits;
  readonly unitOf = (cluster: string, metric: string): string =>
    this.#metricUnits.unitOf(cluster, metric);
  /** By cluster and metric, as cluster.json says: what stands for a job in lists. */
  footprints!: ReadonlyMap<string, ReadonlyMap<string, 'avg' | 'min' | 'max'>>;
  /** The same: what it tells of energy. */
  energies!: ReadonlyMap<string, ReadonlyMap<string, 'power' | 'energy'>>;

  constructor(parts: SelectParts) {
    const { kernel, memory, store, limits } = parts;
    this.kernel = kernel;
    this.memory = memory;
    this.tree = parts.tree;
    this.metrics = parts.metrics;
    this.regrid = parts.regrid;
    this.store = store;
    this.limits = limits;
    this.writer = parts.writer;
    this.words = parts.words;
    this.topologies = parts.topologies;
    this.units = new UnitFinder(parts.seriesIn, this.topologies);
    this.hostUnits = new HostUnitsCache(this.units);
    this.combiner = new Combiner(kernel, memory);
    this.cache = new AggregateCache(this.combiner, memory, cacheBytesOf(store));
    const stagger = (series: number): number =>
      parts.words()[(series + SERIES_STAGGER) >>> 2]! & 0xff;
    this.accumulator = new Accumulator(this.combiner, this.cache, memory, stagger);
    this.statistics = new StatisticsTaker(kernel, memory, limits.percentileExactMax);
    this.#describe();
  }

  /** The configuration has changed, in place; what was found in the tree is found anew. */
  reconfigured(): void {
    const { store, limits } = this;
    this.cache.clear();
    this.cache.bytesMax = cacheBytesOf(store);
    this.statistics.percentileExactMax = limits.percentileExactMax;
    this.#describe();
  }

  #describe(): void {
    const { clusters } = this.store;
    this.#metricUnits = new MetricUnits(this.store);
    this.footprints = described(clusters, ({ footprint }) => footprint);
    this.energies = described(clusters, ({ energy }) => energy);
  }
}

function cacheBytesOf({ aggregateCacheBytes, shardCount }: StoreConfig): number {
  return Math.floor(aggregateCacheBytes / shardCount);
}

/** What descriptions say of metrics, by cluster, without those they say nothing of. */
function described<Value extends string>(
  clusters: readonly ClusterDescription[],
  of: (metric: ClusterMetric) => Value | '',
): Map<string, Map<string, Value>> {
  return new Map(
    clusters.map(({ name, metrics }) => {
      const entries = Object.entries(metrics).map(([metric, told]) => [metric, of(told)] as const);
      const told = entries.filter((entry): entry is [string, Value] => entry[1] !== '');
      return [name, new Map(told)];
    }),
  );
}
