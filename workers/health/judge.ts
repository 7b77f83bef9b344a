import { METRIC_STATES, type HostState, type MetricState } from '../../src/model/health.js';
import {
  CHANGED_METRICS_MAX,
  type HostChange,
  type MetricChange,
} from '../../src/protocol/health.js';
import type { HostRow } from './host-row.js';
import type { HostWalk } from './host-walk.js';
import type { MetricNames } from './metric-names.js';
import {
  begin,
  DEGRADED,
  FULL,
  isFlapping,
  MISSING,
  recoverySec,
  STUCK,
  update,
  blankPair,
} from './pair.js';
import type { Group } from './roster.js';

/** What a judgement depends on beside the samples. */
export interface Terms {
  readonly nowSec: number;
  readonly recoverSec: number;
  /** Pairs that there is room for. */
  readonly room: number;
}

/** Makes states of what a walk has found. */
export class Judge {
  readonly #walk: HostWalk;
  readonly #names: MetricNames;
  readonly #pair = blankPair();
  readonly #added: number[] = [];
  /** By number of the metric: the row that was found to have it last, by its turn. */
  readonly #marks: number[] = [];
  #mark = 0;
  // What the last look at a metric came to.
  #found = FULL;
  #foundSec = 0;
  #witness = 0;
  /** Until when that holds if no sample comes. */
  #untilSec = Infinity;

  constructor(walk: HostWalk, names: MetricNames) {
    this.#walk = walk;
    this.#names = names;
  }

  /**
   * Takes what was found into a host's row. Returns what is shown otherwise than before; undefined: nothing.
   * A row that is left without pairs has no place any more.
   */
  settle(row: HostRow, group: Group, terms: Terms): HostChange | undefined {
    const isNew = row.state === undefined;
    const previous = row.state ?? null;
    const hadPairs = row.pairCount > 0;
    row.group = group;
    this.#match(row, group, terms.room);
    const kept = row.pairCount - this.#added.length;
    const changes = this.#update(row, kept, isNew, terms);
    if (row.pairCount === 0) {
      return hadPairs ? this.#changeOf(row, previous, changes, terms.nowSec) : undefined;
    }
    const state = stateOf(row);
    if (state === row.state && changes.length === 0) return undefined;
    if (state !== row.state) {
      row.state = state;
      row.sinceSec = sinceOf(row, previous);
    } else if (state === 'failed') {
      // Samples that came late may tell that it was so before anybody looked.
      row.sinceSec = Math.min(row.sinceSec, sinceOf(row, previous));
    }
    return this.#changeOf(row, previous, changes, terms.nowSec);
  }

  /** Takes what was found of each metric into its pair; those behind `kept` are new. Returns what is news. */
  #update(row: HostRow, kept: number, isNewRow: boolean, terms: Terms): MetricChange[] {
    const { nowSec, recoverSec } = terms;
    const pair = this.#pair;
    const changes: MetricChange[] = [];
    row.dueSec = Infinity;
    row.witnessCount = 0;
    row.counts.fill(0);
    for (let i = 0; i < row.pairCount; i++) {
      const isAdded = i >= kept;
      const id = isAdded ? this.#added[i - kept]! : row.metricOf(i);
      this.#look(id, nowSec);
      let previous: MetricState | null = null;
      let isNews: boolean;
      if (isAdded) {
        begin(pair, this.#found, this.#foundSec);
        isNews = !isNewRow && pair.state !== FULL;
      } else {
        row.read(i, pair);
        previous = METRIC_STATES[pair.state]!;
        isNews = update(pair, this.#found, this.#foundSec, nowSec, recoverSec);
      }
      row.write(i, id, pair, this.#witness);
      this.#count(row, recoverSec);
      if (!isNews) continue;
      const state = METRIC_STATES[pair.state]!;
      const { sinceSec } = pair;
      changes.push({ metric: this.#names.nameOf(id), state, previous, sinceSec });
    }
    return changes;
  }

  #changeOf(
    row: HostRow,
    previous: HostState | null,
    changes: readonly MetricChange[],
    nowSec: number,
  ): HostChange {
    const isGone = row.pairCount === 0;
    return {
      cluster: row.cluster,
      host: row.host,
      subCluster: row.group?.subCluster ?? '',
      state: isGone ? null : row.state!,
      previous,
      sinceSec: isGone ? nowSec : row.sinceSec,
      isFlapping: this.isFlapping(row, nowSec),
      metrics: changes.slice(0, CHANGED_METRICS_MAX),
      metricsNotListed: Math.max(0, changes.length - CHANGED_METRICS_MAX),
    };
  }

  /** Whether one of its metrics comes and goes. */
  isFlapping(row: HostRow, nowSec: number): boolean {
    for (let i = 0; i < row.pairCount; i++) {
      row.read(i, this.#pair);
      if (isFlapping(this.#pair, nowSec)) return true;
    }
    return false;
  }

  /** Gives a row pairs for all that is expected or there, as far as there is room, and for nothing else. */
  #match(row: HostRow, group: Group, room: number): void {
    const { touched } = this.#walk;
    const isWanted = (id: number): boolean =>
      group.isJudged(id) && (this.#walk.of(id) !== undefined || group.isExpected(id));
    const mark = ++this.#mark;
    let isGone = false;
    for (let i = 0; i < row.pairCount; i++) {
      const id = row.metricOf(i);
      if (isWanted(id)) this.#marks[id] = mark;
      else isGone = true;
    }
    this.#added.length = 0;
    const add = (id: number): void => {
      if (this.#marks[id] === mark || !group.isJudged(id)) return;
      this.#marks[id] = mark;
      this.#added.push(id);
    };
    touched.forEach(add);
    group.expected.forEach(add);
    row.notJudged = Math.max(0, this.#added.length - Math.max(0, room));
    this.#added.length -= row.notJudged;
    if (isGone || this.#added.length > 0) row.resize(isWanted, this.#added.length);
  }

  /** What the walk has found of a metric. */
  #look(id: number, nowSec: number): void {
    const found = this.#walk.of(id);
    this.#witness = 0;
    this.#untilSec = Infinity;
    this.#foundSec = nowSec;
    if (!found) this.#found = MISSING;
    else if (found.lateSeries > 0) {
      this.#found = DEGRADED;
      this.#foundSec = Math.min(nowSec, found.lateAfterSec);
      this.#witness = found.furthest;
    } else {
      this.#found = found.stuckSeries > 0 ? STUCK : FULL;
      this.#witness = found.stuck;
      this.#untilSec = found.lateAfterSec + 1;
    }
  }

  #count(row: HostRow, recoverSec: number): void {
    const pair = this.#pair;
    row.counts[pair.state]!++;
    if (this.#witness !== 0) row.witnessCount++;
    let untilSec = this.#untilSec;
    if (pair.betterSec !== 0) {
      untilSec = Math.min(untilSec, pair.betterSec + recoverySec(pair, recoverSec));
    }
    row.dueSec = Math.min(row.dueSec, untilSec);
  }
}

function stateOf({ counts, pairCount }: HostRow): HostState {
  const full = counts[FULL]!;
  return full === pairCount ? 'full' : full === 0 ? 'failed' : 'partial';
}

/**
 * Since when a host is in its state, from its metrics: so a restart finds the same. It is full or failed
 * since the last metric became so, partial since the first one that differs from what it was before.
 */
function sinceOf(row: HostRow, previous: HostState | null): number {
  let newest = 0;
  let oldest = Infinity;
  for (let i = 0; i < row.pairCount; i++) {
    const since = row.sinceOf(i);
    newest = Math.max(newest, since);
    const isFull = row.stateOf(i) === FULL;
    if (isFull === (previous === 'failed')) oldest = Math.min(oldest, since);
  }
  return row.state === 'partial' ? oldest : newest;
}
