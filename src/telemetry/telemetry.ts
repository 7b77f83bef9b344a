import type { Config, StoreConfig } from '../config/config.js';
import type { EventStreams } from '../http/event-streams.js';
import { answerJsonText } from '../http/answers.js';
import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import { checkParameters, wholeNumber } from '../http/parameters.js';
import type { Route } from '../http/route.js';
import { statusText, type OwnStatus, type Problem } from '../http/status-text.js';
import type { Traffic } from '../http/server.js';
import type { Logger } from '../model/logger.js';
import { isS3 } from '../object-store/location.js';
import type { Store } from '../routing/store.js';
import type { LogTail } from '../service/log-tail.js';
import { version } from '../service/version.js';
import { debugRoutes } from './debug-routes.js';
import { History, HISTORY_ROWS, HISTORY_STEP_SEC } from './history.js';
import { Live } from './live.js';
import { Disks } from './disk-space.js';
import { processFamilies } from './process-families.js';
import { ratesBetween } from './rates.js';
import type { RequestTimes } from '../http/request-times.js';
import { SlowQueries } from './slow-queries.js';
import { STORE_PARTS, StoreHealth } from './store-health.js';
import { readTotals, type Totals } from './totals.js';

const STEP_MS = HISTORY_STEP_SEC * 1000;
const HISTORY_SEC_MAX = HISTORY_ROWS * HISTORY_STEP_SEC;

/** What is observed. */
export interface TelemetryOptions {
  readonly store: Store;
  readonly requests: RequestTimes;
  readonly traffic: Traffic;
  /** Others may come when the program has started. */
  readonly parts: readonly ProgramPart[];
  readonly events: EventStreams;
  /** `uws` or `node`. */
  readonly adapter: string;
  readonly tail: LogTail;
  readonly log: Pick<Logger, 'debug'>;
  /** The configuration, which may change. */
  readonly current: () => Pick<Config, 'store' | 'slowQueryMs'>;
}

/** The store's own numbers: what they were in the last hour, what they are now, and what is wrong. */
export class Telemetry implements ProgramPart, OwnStatus {
  readonly name = 'telemetry';
  readonly routes: Readonly<Record<string, Route>>;
  readonly slow: SlowQueries;
  readonly #options: TelemetryOptions;
  readonly #history = new History(Date.now() / 1000);
  readonly #live: Live;
  readonly #health = new StoreHealth();
  readonly #disks: Disks;
  readonly #version = version();
  readonly #startedSec = Math.round(performance.timeOrigin / 1000);
  #totals: Totals;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#totals = readTotals(options);
    const { events, current } = options;
    this.#disks = new Disks(() => foldersOf(current().store));
    this.#live = new Live({
      events,
      memoryCapBytes: () => current().store.memoryCapBytes,
      readTotals: () => readTotals(options),
      lastTotals: () => this.#totals,
      statusText: () => statusText(options.store, options.parts, this),
    });
    this.slow = new SlowQueries(() => current().slowQueryMs, options.log);
    this.routes = {
      ...debugRoutes(this.slow, options.tail),
      '/api/v2/history': {
        methods: ['GET'],
        permission: 'query',
        run: (exchange) => {
          const { query } = exchange;
          checkParameters(query, ['seconds']);
          const range = {
            least: HISTORY_STEP_SEC,
            most: HISTORY_SEC_MAX,
            without: HISTORY_SEC_MAX,
          };
          const page = this.#history.page(wholeNumber(query, 'seconds', range));
          answerJsonText(exchange, JSON.stringify(page));
        },
      },
      '/api/v2/live': {
        methods: ['GET'],
        permission: 'query',
        run: (exchange) => {
          checkParameters(exchange.query, []);
          this.#live.open(exchange);
        },
      },
    };
  }

  /** Begins to keep the history. */
  start(): void {
    void this.#disks.look();
    this.#waitForStep();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  status(): object {
    return { liveClients: this.#live.clients, eventStreams: this.#options.events.count };
  }

  /** What `/api/v2/status` has of the process. */
  ownStatus(): object {
    const { heapUsed, rss } = process.memoryUsage();
    return {
      version: this.#version,
      node: process.version,
      adapter: this.#options.adapter,
      startedSec: this.#startedSec,
      memory: {
        residentBytes: rss,
        memoryCapBytes: this.#options.current().store.memoryCapBytes,
        heapBytes: this.#heapBytes(),
        nodeHeapBytes: heapUsed,
      },
      ...(this.#disks.data && { disk: this.#disks.data }),
    };
  }

  allProblems(): readonly Problem[] {
    const { store, parts, current } = this.#options;
    const { checkpointBytes } = this.#health;
    const disks = this.#disks.problems(checkpointBytes);
    return [
      ...this.#health.problems(store.status(), current().store.memoryCapBytes),
      ...disks.map((text) => ({ part: 'disk', text })),
      ...parts.flatMap((part) =>
        (part.problems?.() ?? []).map((text) => ({ part: part.name, text })),
      ),
    ];
  }

  metrics(): string {
    const { adapter, events, current } = this.#options;
    const build = `{version="${this.#version}",node="${process.version}",adapter="${adapter}"} 1`;
    const streams = 'Clients that are told events as they happen (event-streams-max).';
    const cap = 'What the memory for samples is bounded by, over all shards; 0: it is not.';
    return [
      metricFamily('build_info', 'gauge', 'What is running; always 1.', [build]),
      metricFamily('memory_cap_bytes', 'gauge', cap, current().store.memoryCapBytes),
      metricFamily('event_streams', 'gauge', streams, events.count),
      this.#problemsFamily(),
      this.slow.metrics(),
      this.#disks.metrics(),
      processFamilies(this.#startedSec),
    ].join('');
  }

  /** Parts without a problem are there as well: an alert ends when a number is 0, not when it is gone. */
  #problemsFamily(): string {
    const told = this.#options.parts.filter((part) => part.problems);
    const counts = new Map(
      [...STORE_PARTS, ...told.map(({ name }) => name)].map((one) => [one, 0]),
    );
    for (const { part } of this.allProblems()) counts.set(part, (counts.get(part) ?? 0) + 1);
    const values = [...counts].map(([part, count]) => `{part="${part}"} ${count}`);
    const help = 'What is wrong with the store itself now, by part; /api/v2/status has the words.';
    return metricFamily('problems', 'gauge', help, values);
  }

  #heapBytes(): number {
    const { shards } = this.#options.store.status();
    return shards.reduce((sum, { counters }) => sum + (counters['heap_bytes_current'] ?? 0), 0);
  }

  /** Rows end with full steps of the clock. */
  #waitForStep(): void {
    const leftMs = STEP_MS - (Date.now() % STEP_MS);
    // A timer may come a little before its time: that step has ended.
    const waitMs = leftMs < STEP_MS / 10 ? leftMs + STEP_MS : leftMs;
    this.#timer = setTimeout(() => {
      this.#endStep();
      this.#waitForStep();
    }, waitMs).unref();
  }

  #endStep(): void {
    const totals = readTotals(this.#options);
    const endSec = Math.round(Date.now() / STEP_MS) * HISTORY_STEP_SEC;
    this.#history.add(endSec, ratesBetween(this.#totals, totals));
    this.#health.step(this.#totals, totals);
    void this.#disks.look();
    this.#totals = totals;
  }
}

/** Those on this machine that the store writes to, that of the data first. */
function foldersOf({ checkpoints, archive }: StoreConfig): readonly string[] {
  const { directory, localDirectory } = checkpoints;
  const data = isS3(directory) ? localDirectory : directory;
  return [...(data === '' ? [] : [data]), ...(archive ? [archive.directory] : [])];
}
