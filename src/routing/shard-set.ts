import type { Limits, StoreConfig } from '../config/config.js';
import { longestStepSec } from '../config/metric-rules.js';
import { StoreError } from '../model/errors.js';
import type { Logger } from '../model/logger.js';
import type { CatalogueEntry, CataloguePage, CatalogueRequest } from '../model/catalogue.js';
import type { JobStatsRequest } from '../model/selection.js';
import { makeReadScope } from '../model/read-scope.js';
import { hashHost } from '../model/hash.js';
import type { ExportedSeries, ExportRequest } from '../protocol/archive.js';
import { hostsOwned, type HostsInUse } from '../protocol/hosts-in-use.js';
import { ArchiveQueries, archiveRequest } from './archive-queries.js';
import { ArchiveUploads } from './archive-uploads.js';
import { Catalogue } from './catalogue.js';
import { joinTrees } from './debug-trees.js';
import { DataVersions } from './data-versions.js';
import { HostHealths } from './host-health.js';
import { JobStatsRouter } from './job-stats-router.js';
import { askOwners } from './node-health.js';
import { LowPriority } from './low-priority.js';
import { metricChanges } from './metric-changes.js';
import { RejectedLines } from './rejected-lines.js';
import { needsRestart } from './restart-settings.js';
import { checkArchive } from './query-port.js';
import { QueryRouter } from './query-router.js';
import type { SelectRouter } from './select-router.js';
import type { ShardClient, TaskName } from './shard-client.js';
import { joinMismatches } from './unit-mismatches.js';
import type { StorePlace } from './store-place.js';
import type {
  ArchiveSummary,
  CheckpointSummary,
  HealthRequest,
  Inspection,
  NodeHealth,
  QueryAnswer,
  ReconfigureSummary,
  Store,
  StoreStatus,
  TurnTimes,
  TimeSpan,
  UnitMismatches,
  UnitMismatchFilter,
  WriteOptions,
  WriteSession,
} from './store.js';
import { ShardedWrite } from './write-session.js';

/** Bytes of a default cluster's name; names are bounded to 128 bytes in lines as well. */
const CLUSTER_BYTES_MAX = 128;

/**
 * All shards behind one interface. A series belongs to the shard that the hash of its cluster and
 * host names, and to no other: no state is shared between shards.
 */
export class ShardSet implements Store {
  readonly hostHealth: HostHealths;
  readonly #shards: readonly ShardClient[];
  readonly #store: StoreConfig;
  readonly #limits: Limits;
  #reconfigured: Promise<unknown> = Promise.resolve();
  readonly #queries: QueryRouter;
  readonly #catalogue: Catalogue;
  readonly #low: LowPriority;
  readonly rejectedLines = new RejectedLines();
  #inspection: Promise<Inspection> | undefined;
  /** Loaded by the first one that is asked for. */
  #selections: Promise<SelectRouter> | undefined;
  readonly #nextId = (): number => this.#nextQueryId++;
  readonly #shardOf = (cluster: string, host: string): number => this.shardOf(cluster, host);
  readonly #jobStats: JobStatsRouter;
  readonly #versions: DataVersions;
  #nextQueryId = 0;
  readonly #archive: ArchiveQueries | undefined;
  readonly #uploads: ArchiveUploads | undefined;
  readonly #place: StorePlace | undefined;

  constructor(
    shards: readonly ShardClient[],
    store: StoreConfig,
    limits: Limits,
    place: StorePlace | undefined,
    log: Logger,
  ) {
    this.#place = place;
    if (store.archive) {
      this.#archive = new ArchiveQueries(store, limits, shards, (read) => this.#export(read));
      if (store.archive.location !== '') this.#uploads = new ArchiveUploads(store, limits, log);
    }
    this.#shards = shards;
    this.hostHealth = new HostHealths(shards, store);
    this.#store = store;
    this.#catalogue = new Catalogue(
      store.clusters,
      (request) => this.invokeOnAll<CatalogueEntry[]>('catalogue', request),
      () => limits.queryTimeMsMax,
    );
    this.#limits = limits;
    this.#low = new LowPriority(limits);
    this.#queries = new QueryRouter(shards, this.#shardOf, limits, this.#nextId);
    this.#jobStats = new JobStatsRouter(shards, this.#shardOf, this.#nextId, this.#archive);
    this.#versions = new DataVersions(shards, longestStepSec(store));
  }

  get shardCount(): number {
    return this.#shards.length;
  }

  /** Index of the shard that owns a host. */
  shardOf(cluster: string, host: string): number {
    return this.#shards.length === 1 ? 0 : hashHost(cluster, host) % this.#shards.length;
  }

  /** Runs a named task inside one shard. */
  invokeOn<Result>(shard: number, task: TaskName, argument: unknown): Promise<Result> {
    return this.#shards[shard]!.run<Result>(task, argument);
  }

  /** Runs it inside every shard; results in the order of the shards. */
  invokeOnAll<Result>(task: TaskName, argument: unknown): Promise<Result[]> {
    return Promise.all(this.#shards.map((shard) => shard.run<Result>(task, argument)));
  }

  /** Runs it inside every shard and folds the results into one. */
  async mapReduce<Result, Total>(
    task: TaskName,
    argument: unknown,
    reduce: (total: Total, result: Result) => Total,
    initial: Total,
  ): Promise<Total> {
    return (await this.invokeOnAll<Result>(task, argument)).reduce(reduce, initial);
  }

  beginWrite(options: WriteOptions): WriteSession {
    if (Buffer.byteLength(options.cluster) > CLUSTER_BYTES_MAX) {
      throw new StoreError(
        'bad-request',
        `parameter cluster is longer than ${CLUSTER_BYTES_MAX} bytes`,
      );
    }
    const down = this.#shards.find((shard) => !shard.ready);
    if (down && this.#shards.some((shard) => !shard.hasBegun)) {
      throw new StoreError(
        'shard-unavailable',
        'the store waits for its data and has not begun; nothing was taken, send it again in a moment',
      );
    }
    if (down && this.#shards.length === 1) {
      throw new StoreError(
        'shard-unavailable',
        `shard ${down.index} is being restarted; nothing was taken, send it again in a moment`,
      );
    }
    return new ShardedWrite(
      this.#shards,
      (cluster, host) => this.#shards[this.shardOf(cluster, host)]!,
      options,
      this.#limits,
    );
  }

  query(text: string, deliver: (answer: QueryAnswer) => void): void {
    const archive = this.#archive;
    try {
      const request = archive && archiveRequest(text);
      if (request) void archive.answer(text, request).then(deliver);
      else this.#queries.run(text, deliver);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      deliver({ ok: false, error });
    }
  }

  selections(): Promise<SelectRouter> {
    return (this.#selections ??= this.#loadSelections());
  }

  async #loadSelections(): Promise<SelectRouter> {
    const { SelectRouter } = await import('./select-router.js');
    return new SelectRouter(
      this.#shards,
      this.#shardOf,
      this.#limits,
      this.#nextId,
      this.#archive,
      this.#low,
    );
  }

  versionOf(
    ranges: readonly TimeSpan[],
    text: string,
    archive: boolean | undefined,
  ): string | undefined {
    const isArchived = this.#archive?.needed(archive) ?? (() => archive === true);
    if (ranges.some(isArchived)) return undefined;
    return this.#versions.of(ranges, text);
  }

  async jobStats(request: JobStatsRequest, isLow = false): Promise<Uint8Array> {
    checkArchive(request, this.#archive);
    const run = (): Promise<Uint8Array> => this.#jobStats.run(request, isLow);
    return isLow ? this.#low.run(run) : run();
  }

  free(selectors: readonly (readonly string[])[], toSec: number): Promise<number> {
    return this.mapReduce<number, number>(
      'free',
      { selectors, toSec },
      (total, freed) => total + freed,
      0,
    );
  }

  async debug(selector: readonly string[]): Promise<string> {
    if (selector.length >= 2) {
      return this.invokeOn(this.shardOf(selector[0]!, selector[1]!), 'debug', selector);
    }
    const trees = this.#shards.map((shard) => shard.run<string>('debug', selector));
    return joinTrees(await Promise.allSettled(trees));
  }

  inspection(): Promise<Inspection> {
    return (this.#inspection ??= import('./inspection.js').then(
      ({ ShardInspection }) =>
        new ShardInspection({
          shardCount: this.shardCount,
          shardOf: this.#shardOf,
          ask: (shard, request) => this.invokeOn(shard, 'inspect', request),
          low: this.#low,
          waitMsMax: () => this.#limits.queryTimeMsMax,
        }),
    ));
  }

  catalogue(request: CatalogueRequest): Promise<CataloguePage> {
    if (!request.isLow) return this.#catalogue.page(request);
    return this.#low.run(() => this.#catalogue.lowPage(request));
  }

  health(request: HealthRequest): Promise<Record<string, NodeHealth>> {
    return askOwners(request, this.#shardOf, (shard, owned) =>
      this.invokeOn(shard, 'health', owned),
    );
  }

  async unitMismatches(filter: UnitMismatchFilter): Promise<UnitMismatches> {
    return joinMismatches(await this.invokeOnAll<UnitMismatches>('unitMismatches', filter));
  }

  /** Which hosts keep their data beyond the retention from now on. */
  setHostsInUse(hosts: HostsInUse): void {
    for (const shard of this.#shards) {
      const owns = (cluster: string, host: string): boolean =>
        this.shardOf(cluster, host) === shard.index;
      shard.setHostsInUse(hostsOwned(hosts, owns));
    }
  }

  archive(): Promise<ArchiveSummary[]> {
    return this.invokeOnAll<ArchiveSummary>('archive', undefined);
  }

  checkpoint(): Promise<CheckpointSummary[]> {
    return this.invokeOnAll<CheckpointSummary>('checkpoint', { withJson: true });
  }

  reconfigure(next: StoreConfig, limits: Limits): Promise<ReconfigureSummary> {
    const reconfigured = this.#reconfigured.then(() => this.#reconfigure(next, limits));
    this.#reconfigured = reconfigured.catch(() => undefined);
    return reconfigured;
  }

  async #reconfigure(next: StoreConfig, limits: Limits): Promise<ReconfigureSummary> {
    const store = this.#store;
    const refused = needsRestart(store, next);
    if (refused.length > 0) {
      throw new StoreError('bad-request', `this needs a restart: ${refused.join('; ')}`);
    }
    const metrics = metricChanges(store, next);
    Object.assign(store, next);
    if (limits !== this.#limits) Object.assign(this.#limits, limits);
    this.#catalogue.describe(store.clusters);
    const longestSec = longestStepSec(store);
    // Before, so that what is answered now is not taken for what it was; behind, for what shards answer on the way.
    this.#versions.reconfigured(longestSec);
    const shards = await Promise.all(this.#shards.map((shard) => shard.reconfigured()));
    this.#versions.reconfigured(longestSec);
    return { metrics, shards: shards.map((shard) => shard ?? null) };
  }

  turnTimes(): readonly TurnTimes[] {
    return this.#shards.flatMap((shard) =>
      shard.turnTimes().map(([kind, times]) => ({ shard: shard.index, kind, times })),
    );
  }

  status(): StoreStatus {
    const shards = this.#shards.map((shard) => ({
      index: shard.index,
      ready: shard.ready,
      restarts: shard.restarts,
      counters: shard.counters(),
    }));
    const ready = shards.every((shard) => shard.ready);
    const mirror = this.#place?.mirror?.status();
    const archive = this.#uploads?.status();
    return { ready, shards, ...(mirror && { mirror }), ...(archive && { archive }) };
  }

  /** From the shards that own the hosts; where these are not named, from all. */
  #export(request: ExportRequest): Promise<ExportedSeries[][]> {
    // Sub-clusters are not needed to tell which hosts are named.
    const named = makeReadScope(request.read, () => '').named();
    if (!named) return this.invokeOnAll('exportSamples', request);
    const owners = new Set(named.map(([cluster, host]) => this.shardOf(cluster, host)));
    return Promise.all(
      [...owners].map((shard) => this.invokeOn<ExportedSeries[]>(shard, 'exportSamples', request)),
    );
  }

  async stop(): Promise<void> {
    await this.#archive?.stop();
    await this.#uploads?.stop();
    await Promise.all(this.#shards.map((shard) => shard.stop()));
    await this.#place?.stop();
  }
}
