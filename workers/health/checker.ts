import type { Limits, StoreConfig } from '../../src/config/config.js';
import type { HealthEntry, HealthPageRequest } from '../../src/model/health.js';
import { StoreError } from '../../src/model/errors.js';
import {
  CHANGED_HOSTS_MAX,
  type CheckSummary,
  type HealthReport,
  type HostChange,
} from '../../src/protocol/health.js';
import type { Engine } from '../engine/engine.js';
import { lateAfterSec } from '../engine/late.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_LAST_SLOT, SERIES_LEVEL, SERIES_STEP } from '../kernel/layout.js';
import { Turns } from '../turns.js';
import { groupsOf } from './groups.js';
import { HealthPages } from './health-pages.js';
import type { HostRow } from './host-row.js';
import { HostTable } from './host-table.js';
import { HostWalk } from './host-walk.js';
import { Judge } from './judge.js';
import { MetricNames } from './metric-names.js';
import { DEGRADED } from './pair.js';
import { Roster } from './roster.js';
import { NewestValues } from './stuck.js';

/** Series between two looks at the clock, and hosts that are only looked at. */
const SERIES_A_LOOK = 2048;
const ROWS_A_LOOK = 64;
/** Multiples of it, without their whole parts, lie evenly between 0 and 1. */
const GOLDEN_SHARE = (Math.sqrt(5) - 1) / 2;
/** A table that was full is filled anew when so much of it is free. */
const ROOM_SHARE = 1 / 16;

export interface CheckerParts {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly memory: WebAssembly.Memory;
  /** Both are changed in place. */
  readonly store: StoreConfig;
  readonly limits: Pick<Limits, 'healthPairsMax'>;
  /** Whether a host is of this shard. */
  readonly owns: (cluster: string, host: string) => boolean;
  readonly report: (report: HealthReport) => void;
  readonly warn: (warning: string) => void;
}

/**
 * Judges all metrics of all hosts of a shard, every few seconds, in turns. A host that is well is looked at
 * again when the first of its series would be late if no sample had come, one that is not when the series
 * has moved that makes it so, and any when series of it came or went: the work follows what changes.
 */
export class HealthChecker {
  readonly #parts: CheckerParts;
  readonly #table = new HostTable();
  readonly #names: MetricNames;
  readonly #roster: Roster;
  readonly #newest: NewestValues;
  readonly #walk: HostWalk;
  readonly #judge: Judge;
  readonly #pages: HealthPages;
  #turns = new Turns();
  #changes: HostChange[] = [];
  #startedSec = 0;
  #pairCount = 0;
  /** Hosts that lists name and that there was no room for, as they had no series. */
  #listedRefused = 0;
  #hasRefused = false;
  /** How often series went: what was found before may not be there any more. */
  #leftCount = 0;
  #isChecking = false;
  #isFirst = true;
  /** All is to be looked at anew, as the configuration has changed. */
  #mustSurvey = true;
  #hasChanged = true;
  #lastHost: Level | undefined;
  /** Part of the time until the next host is due that it is looked at earlier. */
  #share = 0;

  constructor(parts: CheckerParts) {
    const { engine, kernel, memory, store } = parts;
    this.#parts = parts;
    this.#names = new MetricNames(engine.metrics);
    const { metrics, topologies } = engine;
    this.#roster = new Roster({ metrics, topologies, names: this.#names, store });
    this.#newest = new NewestValues(kernel, memory);
    this.#walk = new HostWalk(engine, this.#names, this.#newest);
    this.#judge = new Judge(this.#walk, this.#names);
    this.#pages = new HealthPages({
      engine,
      table: this.#table,
      names: this.#names,
      roster: this.#roster,
      newest: this.#newest,
      stuckSamples: () => store.health.stuckSamples,
      leftCount: () => this.#leftCount,
    });
    engine.onLeaving = (level) => this.#left(level);
  }

  /** Pairs of hosts and metrics that are judged. */
  get pairCount(): number {
    return this.#pairCount;
  }

  /** Begins a check when it is time for one; called every second. */
  tick(nowSec: number): void {
    const { enabled, intervalSec } = this.#parts.store.health;
    if (this.#isChecking) return;
    if (!enabled) {
      this.#forget();
      return;
    }
    // A clock that was put back must not stop it.
    if (Math.abs(nowSec - this.#startedSec) < intervalSec) return;
    this.check(nowSec).catch((error: Error) =>
      this.#parts.warn(`health can not be checked: ${error.message}`),
    );
  }

  /** Looks at what may have changed, and reports. One at a time. */
  async check(nowSec: number): Promise<CheckSummary> {
    this.#isChecking = true;
    this.#startedSec = nowSec;
    this.#turns = new Turns();
    try {
      if (this.#mustSurvey) await this.#survey();
      await this.#noticeSeries();
      await this.#judgeRows(nowSec);
      return this.#report(nowSec);
    } finally {
      this.#isChecking = false;
    }
  }

  /** The configuration has changed, in place. */
  reconfigured(): void {
    this.#mustSurvey = true;
  }

  #forget(): void {
    if (this.#isFirst) return;
    this.#table.clear();
    this.#pairCount = 0;
    this.#isFirst = true;
    this.#mustSurvey = true;
  }

  /** The first entries of a page, one more than it has, if there are. */
  page(request: HealthPageRequest): Promise<HealthEntry[]> {
    if (this.#isFirst) {
      const what = 'hosts were not looked at yet; ask again in a moment';
      throw new StoreError('shard-unavailable', what);
    }
    return this.#pages.list(request, this.#startedSec);
  }

  get #pairsMax(): number {
    const { limits, store } = this.#parts;
    return Math.ceil(limits.healthPairsMax / store.shardCount);
  }

  /** A series of a level is about to go: the host is looked at, and its witnesses mean nothing more. */
  #left(level: Level): void {
    this.#leftCount++;
    const [cluster, host] = this.#parts.engine.tree.hostOf(level);
    const row = this.#table.find(cluster, host);
    if (row) row.isDirty = true;
    // The next one of this name is another level.
    this.#lastHost = undefined;
  }

  /** Makes a row for each host that lists name, and has all be looked at. */
  async #survey(): Promise<void> {
    this.#mustSurvey = false;
    this.#roster.renew();
    this.#names.suspect(this.#parts.store.health.stuckMetrics);
    this.#listedRefused = 0;
    this.#hasRefused = false;
    for (const row of this.#table.rows) {
      row.isListed = false;
      row.isDirty = true;
    }
    let count = 0;
    for (const [cluster, host] of this.#roster.listed()) {
      if (++count % ROWS_A_LOOK === 0 && this.#turns.isOver) await this.#turns.next();
      if (!this.#parts.owns(cluster, host)) continue;
      const row = this.#rowOf(cluster, host);
      if (row) row.isListed = true;
      else if (!this.#parts.engine.tree.find([cluster, host])) this.#listedRefused++;
    }
    this.#parts.engine.forgetNoticed();
    this.#lastHost = undefined;
  }

  async #noticeSeries(): Promise<void> {
    const { engine } = this.#parts;
    const notice = (series: number, words: Uint32Array): void => {
      let level: Level = engine.tree.at(words[(series + SERIES_LEVEL) >>> 2]!);
      // As `hostOf`; series come host by host.
      while (level.parent!.parent!.parent) level = level.parent!;
      if (level === this.#lastHost) return;
      this.#lastHost = level;
      const row = this.#rowOf(level.parent!.name, level.name);
      if (row) row.isDirty = true;
    };
    while (engine.notice(SERIES_A_LOOK, notice)) if (this.#turns.isOver) await this.#turns.next();
    this.#lastHost = undefined;
  }

  /** A host's row, made if it is new; undefined if there is no room. */
  #rowOf(cluster: string, host: string): HostRow | undefined {
    const known = this.#table.find(cluster, host);
    if (known) return known;
    // Each has one pair at least.
    if (Math.max(this.#pairCount, this.#table.rows.length) >= this.#pairsMax) {
      this.#hasRefused = true;
      return undefined;
    }
    return this.#table.add(cluster, host);
  }

  async #judgeRows(nowSec: number): Promise<void> {
    const { rows } = this.#table;
    for (let i = 0; i < rows.length; i++) {
      if (i % ROWS_A_LOOK === 0 && this.#turns.isOver) await this.#turns.next();
      const row = rows[i];
      // Hosts may be forgotten between turns.
      if (!row) return;
      if (!row.isDirty && nowSec < row.dueSec && !this.#hasMoved(row, nowSec)) continue;
      await this.#judgeRow(row, nowSec);
      if (row.pairCount > 0 || rows[i] !== row) continue;
      if (row.notJudged > 0) {
        this.#hasRefused = true;
        if (!row.hasSeries) this.#listedRefused++;
      }
      this.#table.removeAt(i--);
      this.#hasChanged = true;
    }
  }

  /** Whether a series that makes a metric bad does not any more. */
  #hasMoved(row: HostRow, nowSec: number): boolean {
    if (row.witnessCount === 0) return false;
    const { engine, store } = this.#parts;
    const words = engine.words();
    for (let i = 0; i < row.pairCount; i++) {
      const witness = row.witnessOf(i);
      if (witness === 0) continue;
      if (row.foundOf(i) === DEGRADED) {
        const lastSlot = words[(witness + SERIES_LAST_SLOT) >>> 2]!;
        const stepSec = words[(witness + SERIES_STEP) >>> 2]!;
        if (nowSec <= lateAfterSec(lastSlot, stepSec)) return true;
      } else if (!this.#newest.isStuck(words, witness, store.health.stuckSamples)) return true;
    }
    return false;
  }

  async #judgeRow(row: HostRow, nowSec: number): Promise<void> {
    const { engine, store } = this.#parts;
    const { cluster, host } = row;
    const wasDirty = row.isDirty;
    // What comes or goes during the walk makes it dirty again.
    row.isDirty = false;
    this.#walk.begin(engine.tree.find([cluster, host]), nowSec, store.health.stuckSamples);
    while (!this.#walk.advance(SERIES_A_LOOK)) {
      if (this.#turns.isOver) await this.#turns.next();
    }
    row.hasSeries = this.#walk.touched.length > 0;
    const before = row.pairCount;
    const group = this.#roster.groupOf(cluster, host);
    const { recoverSec } = store.health;
    const room = this.#pairsMax - this.#pairCount;
    const isOther = group !== row.group;
    const isNew = row.state === undefined;
    const change = this.#judge.settle(row, group, { nowSec, recoverSec, room });
    this.#pairCount += row.pairCount - before;
    if (wasDirty) this.#spread(row, nowSec);
    if (change || isOther) this.#hasChanged = true;
    // What a host is at the first check is no news.
    if (change && !(isNew && this.#isFirst)) this.#tell(change);
    if (this.#turns.isOver) await this.#turns.next();
  }

  /**
   * Hosts that were looked at together, as at the start, would be due together again and again. Looking
   * earlier is always right, and the next time is counted from there.
   */
  #spread(row: HostRow, nowSec: number): void {
    if (row.dueSec !== Infinity) row.dueSec -= (row.dueSec - nowSec) * this.#share;
    this.#share = (this.#share + GOLDEN_SHARE) % 1;
  }

  #tell(change: HostChange): void {
    this.#changes.push(change);
    if (this.#changes.length >= CHANGED_HOSTS_MAX) this.#sendChanges();
  }

  #sendChanges(): void {
    if (this.#changes.length === 0) return;
    this.#parts.report({ checkedSec: this.#startedSec, changes: this.#changes });
    this.#changes = [];
  }

  #report(nowSec: number): CheckSummary {
    this.#sendChanges();
    const { rows } = this.#table;
    const notJudged = this.#notJudged();
    const isRoomy = this.#pairCount < this.#pairsMax * (1 - ROOM_SHARE);
    if (notJudged > 0 && isRoomy) this.#mustSurvey = true;
    const groups = this.#hasChanged || this.#isFirst ? groupsOf(rows) : undefined;
    this.#turns.end();
    const { workMs, longestMs } = this.#turns;
    const done: CheckSummary = {
      checkedSec: nowSec,
      milliseconds: workMs,
      longestTurnMs: longestMs,
      notJudged,
      isFirst: this.#isFirst,
      ...(groups && { groups }),
    };
    this.#isFirst = false;
    this.#hasChanged = false;
    this.#parts.report({ checkedSec: nowSec, done });
    return done;
  }

  /** Hosts without a row, and metrics of others, that there is no room for. */
  #notJudged(): number {
    const { rows } = this.#table;
    const metrics = rows.reduce((sum, row) => sum + row.notJudged, 0);
    if (!this.#hasRefused) return metrics;
    let hosts = this.#listedRefused;
    for (const { children } of this.#parts.engine.tree.root.children?.values() ?? []) {
      hosts += children?.size ?? 0;
    }
    for (const { hasSeries } of rows) if (hasSeries) hosts--;
    return metrics + Math.max(0, hosts);
  }
}
