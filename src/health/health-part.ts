import type { Identity } from '../auth/identity.js';
import type { HealthConfig } from '../config/health-config.js';
import type { NatsConfig } from '../config/nats-config.js';
import { answerError, answerJsonText } from '../http/answers.js';
import type { EventStreams } from '../http/event-streams.js';
import { encodeCursor } from '../http/parameters.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Route } from '../http/route.js';
import type { HttpExchange } from '../http/server.js';
import { StoreError } from '../model/errors.js';
import {
  HOST_STATES,
  METRIC_STATES,
  type HealthPage,
  type HealthPageRequest,
} from '../model/health.js';
import type { Logger } from '../model/logger.js';
import type { HealthReport, HostChange } from '../protocol/health.js';
import type { ShardHealth, Store } from '../routing/store.js';
import { ChangePublisher, type Connected } from './change-publisher.js';
import { ChangeStreams } from './change-streams.js';
import { ClusterStates, type ClusterState, type GroupState } from './cluster-states.js';
import { ChangeCounts, healthMetrics } from './health-metrics.js';
import { parseEventsRequest, parseHealthRequest } from './health-request.js';

export interface HealthPartOptions {
  readonly store: Pick<Store, 'hostHealth'>;
  readonly events: EventStreams;
  /** Read anew each time: it may change. */
  readonly config: () => {
    readonly store: { readonly health: HealthConfig };
    readonly nats: Pick<NatsConfig, 'healthSubject'>;
  };
  readonly log: Logger;
}

/** States of hosts, sub-clusters and clusters: who may ask for them, and who is told of changes. */
export class HealthPart implements ProgramPart {
  readonly name = 'health';
  readonly routes: Readonly<Record<string, Route>> = {
    '/api/v2/health': {
      methods: ['GET'],
      permission: 'query',
      run: (exchange, identity) => this.#answer(exchange, identity),
    },
    '/api/v2/health/events': {
      methods: ['GET'],
      permission: 'query',
      run: (exchange, identity) => this.#open(exchange, identity),
    },
  };
  readonly #options: HealthPartOptions;
  readonly #states = new ClusterStates();
  readonly #streams: ChangeStreams;
  readonly #counts = new ChangeCounts();
  #publisher: ChangePublisher | undefined;

  constructor(options: HealthPartOptions) {
    this.#options = options;
    this.#streams = new ChangeStreams(options.events);
    this.#update();
    options.store.hostHealth.watch((_shard, report) => this.#receive(report));
  }

  /** Changes are published there, where a subject is configured. */
  publishTo(nats: Connected): void {
    this.#publisher = new ChangePublisher(nats, this.#options.log);
  }

  status(): object {
    const { enabled } = this.#config;
    if (!enabled) return { enabled };
    const { clusters } = this.#states;
    const publisher = this.#subject === '' ? undefined : this.#publisher;
    return {
      enabled,
      checkedSec: checkedSec(this.#reports()) ?? null,
      hosts: named(HOST_STATES, sumOf(clusters.map(({ hosts }) => hosts))),
      metrics: named(METRIC_STATES, sumOf(clusters.map(({ metrics }) => metrics))),
      notJudged: this.#sum(({ summary }) => summary.notJudged),
      checkMilliseconds: this.#slowest(({ summary }) => summary.milliseconds),
      longestTurnMs: this.#slowest(({ summary }) => summary.longestTurnMs),
      streams: this.#streams.count,
      ...(publisher && { published: publisher.published, dropped: publisher.dropped }),
    };
  }

  metrics(): string {
    if (!this.#config.enabled) return '';
    const publisher = this.#subject === '' ? undefined : this.#publisher;
    return healthMetrics({
      clusters: this.#states.clusters,
      changes: this.#counts,
      checks: this.#sum(({ checks }) => checks),
      checkSeconds: this.#slowest(({ summary }) => summary.milliseconds) / 1000,
      notJudged: this.#sum(({ summary }) => summary.notJudged),
      streams: this.#streams.count,
      ...(publisher && { published: { count: publisher.published, dropped: publisher.dropped } }),
    });
  }

  get #config(): HealthConfig {
    return this.#options.config().store.health;
  }

  get #subject(): string {
    return this.#options.config().nats.healthSubject;
  }

  #reports(): readonly (ShardHealth | undefined)[] {
    return this.#options.store.hostHealth.reports;
  }

  #sum(of: (report: ShardHealth) => number): number {
    return this.#reports().reduce((sum, report) => sum + (report ? of(report) : 0), 0);
  }

  #slowest(of: (report: ShardHealth) => number): number {
    return Math.max(...this.#reports().map((report) => (report ? of(report) : 0)));
  }

  #receive({ checkedSec, changes, done }: HealthReport): void {
    if (changes) this.#tell(changes, checkedSec);
    if (done?.groups) this.#update();
    // What became of its hosts meanwhile nobody has told.
    if (done?.isFirst) this.#streams.sendMissed();
  }

  #update(): void {
    this.#states.update(this.#reports().flatMap((report) => report?.groups ?? []));
  }

  #tell(changes: readonly HostChange[], timeSec: number): void {
    for (const { cluster, state, previous } of changes) {
      if (state !== null && state !== previous) {
        this.#counts.add(cluster, HOST_STATES.indexOf(state));
      }
    }
    const subject = this.#subject;
    const publisher = subject === '' ? undefined : this.#publisher;
    if (!publisher && this.#streams.count === 0) return;
    const texts = changes.map((change) => ({
      cluster: change.cluster,
      text: JSON.stringify({ timeSec, ...change }),
    }));
    this.#streams.send(texts);
    publisher?.publish(subject, texts);
  }

  /** Throws where nothing is judged. */
  #checkEnabled(): void {
    if (this.#config.enabled) return;
    const what = 'health is not checked here; set metricshard.health.enabled to true';
    throw new StoreError('bad-request', what);
  }

  #open(exchange: HttpExchange, identity: Identity): void {
    const clusters = parseEventsRequest(exchange.query, identity);
    this.#checkEnabled();
    this.#streams.open(exchange, clusters);
  }

  #answer(exchange: HttpExchange, identity: Identity): void {
    const request = parseHealthRequest(exchange.query, identity);
    this.#checkEnabled();
    if (request.detail === 'clusters') {
      answerJsonText(exchange, this.#textOf(request, undefined));
      return;
    }
    this.#options.store.hostHealth
      .page(request)
      .then((page) => answerJsonText(exchange, this.#textOf(request, page)))
      .catch((error: unknown) => answerError(exchange, error));
  }

  #textOf(request: HealthPageRequest, page: HealthPage | undefined): string {
    const sec = checkedSec(this.#reports());
    if (sec === undefined) {
      const what = 'not all shards have looked at their hosts yet; ask again in a moment';
      throw new StoreError('shard-unavailable', what);
    }
    const notJudged = this.#sum(({ summary }) => summary.notJudged);
    const head = JSON.stringify({
      checkedSec: sec,
      intervalSec: this.#config.intervalSec,
      ...(notJudged > 0 && { notJudged }),
      clusters: this.#clustersFor(request).map((cluster) => clusterText(cluster, request)),
    });
    const hosts = page ? `,"hosts":[${page.entries.map(({ text }) => text).join()}]` : '';
    const next = page?.next ? JSON.stringify(encodeCursor(page.next)) : 'null';
    return `${head.slice(0, -1)}${hosts},"next":${next}}`;
  }

  #clustersFor({ cluster, clusters }: HealthPageRequest): readonly ClusterState[] {
    return this.#states.clusters.filter(
      ({ name }) => (cluster === '' || name === cluster) && (clusters?.includes(name) ?? true),
    );
  }
}

/** The oldest of the last checks of all shards; undefined: one has not looked yet. */
function checkedSec(reports: readonly (ShardHealth | undefined)[]): number | undefined {
  let oldest = Infinity;
  for (const report of reports) {
    if (!report) return undefined;
    oldest = Math.min(oldest, report.summary.checkedSec);
  }
  return oldest;
}

function clusterText(cluster: ClusterState, { subCluster }: HealthPageRequest): object {
  const { name, ...rest } = groupText(cluster);
  const shown = cluster.subClusters.filter((one) => subCluster === '' || one.name === subCluster);
  return { cluster: name, ...rest, subClusters: shown.map(groupText) };
}

function groupText({ name, state, sinceSec, hosts, metrics }: GroupState) {
  return {
    name,
    state,
    sinceSec,
    hosts: named(HOST_STATES, hosts),
    metrics: named(METRIC_STATES, metrics),
  };
}

function named(names: readonly string[], counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, counts[i] ?? 0]));
}

function sumOf(lists: readonly (readonly number[])[]): number[] {
  const sum: number[] = [];
  for (const list of lists) list.forEach((count, i) => (sum[i] = (sum[i] ?? 0) + count));
  return sum;
}
