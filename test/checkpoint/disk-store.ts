import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DEFAULTS, type MetricConfig, type StoreConfig } from '../../src/config/config.js';
import type { ShardReconfigured } from '../../src/protocol/reconfigure.js';
import { Counters } from '../../src/protocol/counters.js';
import type { RestoreSummary } from '../../src/protocol/messages.js';
import type { CheckpointSummary } from '../../src/routing/store.js';
import { Durability } from '../../workers/durability.js';
import { Engine } from '../../workers/engine/engine.js';
import type { SeriesNames } from '../../workers/engine/parse-line.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import {
  QUERY_SCRATCH_BASE,
  SERIES_COUNT,
  SERIES_LAST_SLOT,
  SERIES_LAST_TIME,
  SERIES_NEXT_LOW,
  SERIES_NEXT_SPAN,
} from '../../workers/kernel/layout.js';
import { LineUnits } from '../../workers/ingest/line-units.js';
import { createAgedMemory } from '../helpers/aged-shard.js';
import { Reconfiguration } from '../../workers/reconfiguration.js';
import { Retention } from '../../workers/retention.js';

export const CLUSTER = 'c';
/** Times are slots of 60 s from `T0` on. */
export const T0 = 1_795_466_400;
const PIECE_SLOTS = 8192;
/** A checkpoint takes away files two or three times. */
const COPY_TRIES = 100;

/** Where a sample goes: metric, host, and a type with its id if it is not the host's own. */
export interface Where {
  readonly metric: string;
  readonly host: string;
  readonly type?: string;
}

export interface DiskOptions {
  readonly metrics?: Readonly<Record<string, MetricConfig>>;
  readonly clusters?: StoreConfig['clusters'];
  /** Folders it is restored from; default its own. */
  readonly sources?: readonly string[];
  readonly owns?: (cluster: string, host: string) => boolean;
  readonly memoryCapBytes?: number;
  readonly writesJson?: boolean;
  /** Whether series lie beyond 2 GiB. */
  readonly isAged?: boolean;
}

const METRICS: Readonly<Record<string, MetricConfig>> = {
  load: { frequency: 60, aggregation: 'sum' },
  power: { frequency: 60, aggregation: 'avg' },
  slow: { frequency: 120, aggregation: null },
};

const temporary: string[] = [];
process.once('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** Files in memory, where there are such: on a disk the tests would mostly wait for its syncs. */
const FAST = '/dev/shm';

/** A folder that goes when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(existsSync(FAST) ? FAST : tmpdir(), 'metricshard-'));
  temporary.push(folder);
  return folder;
}

/** An engine with log and checkpoints in a folder, without threads. */
export class DiskStore {
  readonly folder: string;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly retention: Retention;
  readonly durability: Durability;
  readonly warnings: string[] = [];
  /** Bytes of the heap that the restore said it would take, 0 = it said nothing. */
  heapExpected = 0;
  readonly store: StoreConfig;
  readonly #reconfiguration: Reconfiguration;
  summary!: RestoreSummary;
  readonly memory: WebAssembly.Memory;

  private constructor(folder: string, options: DiskOptions) {
    this.folder = folder;
    this.memory = options.isAged ? createAgedMemory() : createShardMemory();
    this.kernel = instantiateKernel(this.memory);
    this.kernel.initShard(1000);
    const store: StoreConfig = {
      ...DEFAULTS.store,
      metrics: options.metrics ?? METRICS,
      clusters: options.clusters ?? [],
      shardCount: 1,
      retentionEnforced: false,
      memoryCapBytes: options.memoryCapBytes ?? 0,
      checkpoints: { ...DEFAULTS.store.checkpoints, writesJson: options.writesJson ?? false },
    };
    const counters = new Counters(this.memory);
    this.engine = new Engine(this.kernel, this.memory, store, DEFAULTS.limits);
    this.retention = new Retention(this.kernel, this.engine, store, counters);
    this.retention.tick(T0);
    this.durability = new Durability({
      memory: this.memory,
      kernel: this.kernel,
      engine: this.engine,
      retention: this.retention,
      counters,
      store,
      folders: {
        own: folder,
        sources: options.sources ?? [folder],
        aside: join(folder, '..', 'aside'),
        json: join(folder, '..', 'json'),
        imports: [],
        origin: 'test-1-0',
      },
      owns: options.owns ?? (() => true),
      warn: (text) => this.warnings.push(text),
      expectHeap: (bytes) => (this.heapExpected = bytes),
    });
    this.store = store;
    const warn = (text: string): void => void this.warnings.push(text);
    this.#reconfiguration = new Reconfiguration({
      engine: this.engine,
      kernel: this.kernel,
      retention: this.retention,
      units: new LineUnits({ memory: this.memory, store, rowsMax: 10, warn }),
      durability: this.durability,
      archiver: () => undefined,
      store,
      limits: { ...DEFAULTS.limits },
    });
  }

  /** Goes on with other settings; resolves when all series lie where they belong. */
  reconfigure(next: Partial<StoreConfig>): Promise<ShardReconfigured> {
    const { limits } = DEFAULTS;
    return this.#reconfiguration.apply({ store: { ...this.store, ...next }, limits });
  }

  /** Opens a folder, which is made if it is not there, and restores what it holds. */
  static async open(folder: string, options: DiskOptions = {}): Promise<DiskStore> {
    const store = new DiskStore(folder, options);
    store.summary = await store.durability.start();
    return store;
  }

  /** The same without a folder: it never crashes. */
  static inMemory(options: DiskOptions = {}): DiskStore {
    return new DiskStore('', options);
  }

  /** Stores a sample as the shard does with a line it sees for the first time. */
  write(where: Where, timeSec: number, value: number): void {
    const sample = namesOf(where);
    if (!this.durability.hasRoomFor(sample)) throw new Error(this.durability.failure);
    const series = this.engine.seriesFor(sample);
    this.kernel.appendSample(series, timeSec, value);
  }

  flush(): boolean {
    return this.durability.flush();
  }

  free(selectors: readonly (readonly string[])[], toSec: number): number {
    return this.durability.free(selectors, toSec);
  }

  async checkpoint(): Promise<CheckpointSummary> {
    return (await this.durability.checkpoint())!;
  }

  /** Writes JSON files of what is older than a minute at a time, beside the shard's folder. */
  exportJson(nowSec: number): Promise<void> {
    return this.durability.exportJson(false, nowSec);
  }

  /** The folder as a crash leaves it, at this moment, in another place; this store ends. */
  async crash(): Promise<string> {
    const [, name, number] = /^(.*?)(?:-crash(\d+))?$/.exec(basename(this.folder))!;
    const left = join(this.folder, '..', `${name}-crash${Number(number ?? 0) + 1}`);
    copyAtOnce(this.folder, left);
    await this.durability.stop();
    rmSync(this.folder, { recursive: true });
    return left;
  }

  /** Ends it well, with a last checkpoint. */
  stop(): Promise<void> {
    return this.durability.stop();
  }

  /** Address of a series, 0 if there is none. */
  seriesAt({ metric, host, type }: Where): number {
    const level = this.engine.tree.find(type ? [CLUSTER, host, type] : [CLUSTER, host]);
    const known = this.engine.metrics.find(metric, 'c');
    return level && known ? this.engine.seriesOf(level, known.index) : 0;
  }

  /** Samples by slot, of a series that there is. */
  read(where: Where): Map<number, number> {
    const slots = new Map<number, number>();
    const series = this.seriesAt(where);
    if (series === 0) return slots;
    const last = this.engine.words()[(series + SERIES_LAST_SLOT) >>> 2]!;
    const oldest = this.kernel.oldestSlot(series) >>> 0;
    const values = new Float64Array(this.memory.buffer, QUERY_SCRATCH_BASE, PIECE_SLOTS);
    for (let from = oldest; from <= last; from += PIECE_SLOTS) {
      const count = Math.min(PIECE_SLOTS, last + 1 - from);
      this.kernel.readSeries(series, from, count, QUERY_SCRATCH_BASE);
      for (let i = 0; i < count; i++) {
        if (!Number.isNaN(values[i]!)) slots.set(from + i, values[i]!);
      }
    }
    return slots;
  }

  /** What decides where a series' next sample goes. */
  placing(where: Where): number[] {
    const series = this.seriesAt(where);
    if (series === 0) return [];
    const words = this.engine.words();
    return [
      SERIES_LAST_SLOT,
      SERIES_NEXT_LOW,
      SERIES_NEXT_SPAN,
      SERIES_LAST_TIME,
      SERIES_COUNT,
    ].map((field) => words[(series + field) >>> 2]!);
  }
}

/** A copy as of one moment: files that a checkpoint under way takes away meanwhile begin it anew. */
function copyAtOnce(from: string, to: string): void {
  for (let tries = 0; tries < COPY_TRIES; tries++) {
    const before = readdirSync(from).sort();
    try {
      cpSync(from, to, { recursive: true });
      if (readdirSync(from).sort().join() === before.join()) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    rmSync(to, { recursive: true, force: true });
  }
  throw new Error(`${from} changed each time it was copied`);
}

function namesOf({ metric, host, type = '' }: Where): SeriesNames {
  const [, typeName = '', typeId = ''] = /^(\D*)(\d*)$/.exec(type)!;
  return {
    metric,
    cluster: CLUSTER,
    host,
    type: typeName,
    typeId,
    stype: '',
    stypeId: '',
  };
}
