import { DEFAULTS, type StoreConfig } from '../../src/config/config.js';
import type { HealthConfig } from '../../src/config/health-config.js';
import type { HealthDetail, HealthPageRequest } from '../../src/model/health.js';
import type { CheckSummary, HostChange } from '../../src/protocol/health.js';
import { HealthChecker } from '../../workers/health/checker.js';
import { Engine } from '../../workers/engine/engine.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';

/** A multiple of all steps in these tests. */
export const T0 = 1_795_466_400;

export interface ShownMetric {
  readonly metric: string;
  readonly state: string;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
  readonly series: number;
  readonly lateSeries: number;
  readonly stuckSeries: number;
  readonly last: {
    readonly timeSec: number;
    readonly value: number;
    readonly level: string;
  } | null;
}

export interface ShownHost {
  readonly cluster: string;
  readonly host: string;
  readonly subCluster: string;
  readonly state: string;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
  readonly isExpected: boolean;
  readonly lastSec: number | null;
  readonly metrics?: readonly ShownMetric[];
}

export interface HealthStoreOptions {
  readonly store?: Partial<StoreConfig>;
  readonly health?: Partial<HealthConfig>;
  readonly pairsMax?: number;
}

/** A checker over a real engine and kernel, without threads, at times that the test tells. */
export class HealthStore {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly config: StoreConfig;
  readonly limits: { healthPairsMax: number };
  readonly changes: HostChange[] = [];
  readonly summaries: CheckSummary[] = [];
  /** Hosts in each message with changes. */
  readonly messageHosts: number[] = [];
  checker: HealthChecker;
  readonly #memory = createShardMemory();

  constructor({ store = {}, health = {}, pairsMax = 1_000_000 }: HealthStoreOptions = {}) {
    this.kernel = instantiateKernel(this.#memory);
    this.kernel.initShard(1000);
    const metrics = { '*': { frequency: 60, aggregation: 'avg' } } as const;
    const config = { ...DEFAULTS.store, metrics, shardCount: 1, ...store };
    this.config = { ...config, health: { ...DEFAULTS.store.health, ...health } };
    this.limits = { healthPairsMax: pairsMax };
    this.engine = new Engine(this.kernel, this.#memory, this.config, DEFAULTS.limits);
    this.checker = this.#makeChecker();
  }

  #makeChecker(): HealthChecker {
    return new HealthChecker({
      engine: this.engine,
      kernel: this.kernel,
      memory: this.#memory,
      store: this.config,
      limits: this.limits,
      owns: () => true,
      report: ({ changes = [], done }) => {
        this.changes.push(...changes);
        if (changes.length > 0) this.messageHosts.push(changes.length);
        if (done) this.summaries.push(done);
      },
      warn: (warning) => {
        throw new Error(warning);
      },
    });
  }

  /** As after a restart: the samples are there, and nothing else. */
  restart(): void {
    this.engine.forgetNoticed();
    this.checker = this.#makeChecker();
  }

  /** Another configuration, as a running shard gets it. */
  reconfigure(next: Partial<StoreConfig>): void {
    Object.assign(this.config, next);
    this.engine.metrics.reconfigure(this.config);
    this.engine.reconfigured();
    this.checker.reconfigured();
  }

  /** Stores a sample `afterSec` after T0. `place` is `host metric`, maybe with `type id` behind. */
  put(place: string, afterSec: number, value = 1, cluster = 'alex'): void {
    const [host = '', metric = '', type = '', typeId = ''] = place.split(' ');
    const names = { metric, cluster, host, type, typeId, stype: '', stypeId: '' };
    this.kernel.appendSample(this.engine.seriesFor(names), T0 + afterSec, value);
  }

  /** Checks `afterSec` after T0; returns the changes as `host previous>state metric previous>state …`. */
  async check(afterSec: number): Promise<string[]> {
    this.changes.length = 0;
    await this.checker.check(T0 + afterSec);
    return this.changes.map(({ host, state, previous, metrics }) =>
      [
        `${host} ${previous}>${state}`,
        ...metrics.map((one) => `${one.metric} ${one.previous}>${one.state}`).sort(),
      ].join(' '),
    );
  }

  async page(request: Partial<HealthPageRequest> = {}): Promise<ShownHost[]> {
    const entries = await this.checker.page({
      detail: 'metrics' as HealthDetail,
      cluster: '',
      subCluster: '',
      hosts: '',
      states: [],
      metricStates: [],
      metric: '',
      after: [],
      limit: 1000,
      ...request,
    });
    return entries.map(({ text }) => JSON.parse(text) as ShownHost);
  }

  /** `host state@since metric state@since …`, with seconds after T0; `~` behind what is flapping. */
  async states(request: Partial<HealthPageRequest> = {}): Promise<string[]> {
    const shown = (state: string, sinceSec: number, isFlapping: boolean): string =>
      `${state}@${sinceSec - T0}${isFlapping ? '~' : ''}`;
    return (await this.page(request)).map((one) =>
      [
        `${one.host} ${shown(one.state, one.sinceSec, one.isFlapping)}`,
        ...one.metrics!.map((m) => `${m.metric} ${shown(m.state, m.sinceSec, m.isFlapping)}`),
      ].join(' '),
    );
  }
}
