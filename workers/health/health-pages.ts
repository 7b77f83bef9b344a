import { compareKeys, LISTED_HOSTS_MAX } from '../../src/model/catalogue.js';
import { globMatcher } from '../../src/model/glob.js';
import { METRIC_STATES, type HealthEntry, type HealthPageRequest } from '../../src/model/health.js';
import { HostSet } from '../../src/model/host-list.js';
import type { Engine } from '../engine/engine.js';
import { SERIES_LEVEL } from '../kernel/layout.js';
import { Turns } from '../turns.js';
import type { HostRow } from './host-row.js';
import type { HostTable } from './host-table.js';
import { HostWalk } from './host-walk.js';
import type { MetricNames } from './metric-names.js';
import { blankPair, isFlapping } from './pair.js';
import type { Roster } from './roster.js';
import type { NewestValues } from './stuck.js';

/** Series between two looks at the clock. */
const SERIES_A_LOOK = 2048;
/** A host is gone through so often where series of it, or others, go meanwhile. */
const WALKS_MAX = 3;

export interface HealthPagesParts {
  readonly engine: Engine;
  readonly table: HostTable;
  readonly names: MetricNames;
  readonly roster: Roster;
  readonly newest: NewestValues;
  readonly stuckSamples: () => number;
  /** How often series went. */
  readonly leftCount: () => number;
}

/**
 * Lists hosts with their states and those of their metrics, as they were shown at the last check, and what
 * series have now. In turns, and one page after the other, as lists of the catalogue are made.
 */
export class HealthPages {
  readonly #parts: HealthPagesParts;
  readonly #walk: HostWalk;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: HealthPagesParts) {
    this.#parts = parts;
    this.#walk = new HostWalk(parts.engine, parts.names, parts.newest);
  }

  /** The first entries behind `after`, one more than the page has, if there are. */
  list(request: HealthPageRequest, nowSec: number): Promise<HealthEntry[]> {
    const listed = this.#last.then(() =>
      new Listing(this.#parts, this.#walk, request, nowSec).list(),
    );
    this.#last = listed.catch(() => undefined);
    return listed;
  }
}

/** One page in the making. */
class Listing {
  readonly #parts: HealthPagesParts;
  readonly #walk: HostWalk;
  readonly #request: HealthPageRequest;
  readonly #nowSec: number;
  readonly #turns = new Turns();
  readonly #entries: HealthEntry[] = [];
  readonly #hostSet: HostSet | undefined;
  readonly #isMetric: ((name: string) => boolean) | undefined;
  /** By number of the state. */
  readonly #isState: readonly boolean[];
  readonly #pair = blankPair();

  constructor(parts: HealthPagesParts, walk: HostWalk, request: HealthPageRequest, nowSec: number) {
    this.#parts = parts;
    this.#walk = walk;
    this.#request = request;
    this.#nowSec = nowSec;
    const { hosts, metric, metricStates } = request;
    if (hosts !== '') this.#hostSet = HostSet.parse([hosts], LISTED_HOSTS_MAX);
    if (metric !== '') this.#isMetric = globMatcher(metric);
    const isAny = metricStates.length === 0;
    this.#isState = METRIC_STATES.map((state) => isAny || metricStates.includes(state));
  }

  async list(): Promise<HealthEntry[]> {
    const { table } = this.#parts;
    const { cluster: wanted, clusters, after, limit } = this.#request;
    for (const cluster of table.clusters()) {
      if (wanted !== '' && cluster !== wanted) continue;
      if (clusters?.includes(cluster) === false) continue;
      if (compareKeys([cluster], after.slice(0, 1)) < 0) continue;
      for (const host of table.hosts(cluster)) {
        if (this.#turns.isOver) await this.#turns.next();
        if (after.length > 0 && compareKeys([cluster, host], after) <= 0) continue;
        // It may have gone since the list was made.
        const row = table.find(cluster, host);
        if (!row?.state || !this.#isWanted(row)) continue;
        this.#entries.push({ cluster, host, text: await this.#textOf(row) });
        if (this.#entries.length > limit) return this.#entries;
      }
    }
    return this.#entries;
  }

  #isWanted(row: HostRow): boolean {
    const { subCluster, states, metricStates } = this.#request;
    if (this.#hostSet?.has(row.host) === false) return false;
    if (subCluster !== '' && row.group?.subCluster !== subCluster) return false;
    if (states.length > 0 && !states.includes(row.state!)) return false;
    if (!this.#isMetric && metricStates.length === 0) return true;
    for (let i = 0; i < row.pairCount; i++) if (this.#isListed(row, i)) return true;
    return false;
  }

  /** Whether a metric of a host is asked for. */
  #isListed(row: HostRow, index: number): boolean {
    if (!this.#isState[row.stateOf(index)]) return false;
    return this.#isMetric?.(this.#parts.names.nameOf(row.metricOf(index))) ?? true;
  }

  async #textOf(row: HostRow): Promise<string> {
    const { roster } = this.#parts;
    const { cluster, host } = row;
    await this.#walkThrough(row);
    const head = JSON.stringify({
      cluster,
      host,
      subCluster: row.group!.subCluster,
      state: row.state,
      sinceSec: row.sinceSec,
      isFlapping: this.#isFlapping(row),
      isExpected: row.isListed || roster.isExpected(row.group!),
      lastSec: this.#walk.newestSec === 0 ? null : this.#walk.newestSec,
    });
    if (this.#request.detail !== 'metrics') return head;
    return `${head.slice(0, -1)},"metrics":[${this.#metricsOf(row).join()}]}`;
  }

  /** Looks at all series of a host; those that are found are there when it resolves. */
  async #walkThrough({ cluster, host }: HostRow): Promise<void> {
    const { engine, stuckSamples, leftCount } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      const before = leftCount();
      this.#walk.begin(engine.tree.find([cluster, host]), this.#nowSec, stuckSamples());
      while (!this.#walk.advance(SERIES_A_LOOK)) {
        // Where series keep going, the last attempt is made in one turn.
        if (this.#turns.isOver && attempt < WALKS_MAX) await this.#turns.next();
      }
      if (leftCount() === before) return;
    }
  }

  #isFlapping(row: HostRow): boolean {
    for (let i = 0; i < row.pairCount; i++) {
      row.read(i, this.#pair);
      if (isFlapping(this.#pair, this.#nowSec)) return true;
    }
    return false;
  }

  /** Its metrics in the order of their names. */
  #metricsOf(row: HostRow): string[] {
    const { names } = this.#parts;
    const indexes: number[] = [];
    for (let i = 0; i < row.pairCount; i++) if (this.#isListed(row, i)) indexes.push(i);
    const nameOf = (index: number): string => names.nameOf(row.metricOf(index));
    indexes.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return indexes.map((index) => this.#metricText(row, index));
  }

  #metricText(row: HostRow, index: number): string {
    const { names, engine, newest } = this.#parts;
    const id = row.metricOf(index);
    const found = this.#walk.of(id);
    const words = engine.words();
    row.read(index, this.#pair);
    const { state, sinceSec } = this.#pair;
    const value = found ? newest.last(words, found.furthest) : NaN;
    return JSON.stringify({
      metric: names.nameOf(id),
      state: METRIC_STATES[state],
      sinceSec,
      isFlapping: isFlapping(this.#pair, this.#nowSec),
      series: found?.series ?? 0,
      lateSeries: found?.lateSeries ?? 0,
      stuckSeries: found?.stuckSeries ?? 0,
      last:
        found && !Number.isNaN(value)
          ? {
              timeSec: engine.newestSec(found.furthest),
              value,
              level: levelName(engine, words, found.furthest),
            }
          : null,
    });
  }
}

/** Where below its host a series is, such as `hwthread7` or `socket0/filesystem/home`; `node` is the host itself. */
function levelName(engine: Engine, words: Uint32Array, series: number): string {
  const names: string[] = [];
  let level = engine.tree.at(words[(series + SERIES_LEVEL) >>> 2]!);
  for (; level.parent!.parent!.parent; level = level.parent!) names.unshift(level.name);
  return names.length === 0 ? 'node' : names.join('/');
}
