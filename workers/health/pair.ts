import { METRIC_STATES } from '../../src/model/health.js';

/** Numbers of the states of a metric: the worse, the higher. */
export const FULL = METRIC_STATES.indexOf('full');
export const STUCK = METRIC_STATES.indexOf('stuck');
export const DEGRADED = METRIC_STATES.indexOf('degraded');
export const MISSING = METRIC_STATES.indexOf('missing');

/** What falls ill again so soon after it has recovered is flapping. */
export const RELAPSE_SEC = 3600;
/** However often that is, it counts as recovered when it was well for so long. */
const RECOVER_SEC_MAX = 1800;
/** More of them make no difference. */
const RELAPSES_MAX = 15;

/**
 * A metric of a host as it is shown. Getting worse shows at once, getting better when it has lasted: else
 * what comes and goes would be news each time.
 */
export interface Pair {
  /** Shown. */
  state: number;
  /** Since when it is in that state. */
  sinceSec: number;
  /** As it was found last; not worse than what is shown. */
  found: number;
  /** Since when it is better than what is shown; 0 = it is not. */
  betterSec: number;
  /** How often it fell ill again before it had recovered, or soon after. */
  relapses: number;
  /** Its `full` is a recovery, not what it was from the beginning. */
  hasRecovered: boolean;
}

/** Seconds that it must be better for that to count. */
export function recoverySec({ relapses }: Pick<Pair, 'relapses'>, recoverSec: number): number {
  return Math.min(RECOVER_SEC_MAX, recoverSec * 2 ** relapses);
}

/** One that is read into, and begun with what is found. */
export function blankPair(): Pair {
  return {
    state: FULL,
    sinceSec: 0,
    found: FULL,
    betterSec: 0,
    relapses: 0,
    hasRecovered: false,
  };
}

/** The first look at a pair. */
export function begin(pair: Pair, found: number, foundSec: number): void {
  pair.state = found;
  pair.found = found;
  pair.sinceSec = foundSec;
  pair.betterSec = 0;
  pair.relapses = 0;
  pair.hasRecovered = false;
}

/**
 * Takes what a look at a pair has found, and since when it is so. Returns whether another state is shown
 * now.
 */
export function update(
  pair: Pair,
  found: number,
  foundSec: number,
  nowSec: number,
  recoverSec: number,
): boolean {
  const { state } = pair;
  pair.found = found;
  if (found === state) {
    if (pair.betterSec !== 0) relapse(pair);
    return false;
  }
  if (found > state) {
    if (state !== FULL) {
      if (pair.betterSec !== 0) relapse(pair);
    } else if (pair.hasRecovered && nowSec - pair.sinceSec < RELAPSE_SEC) relapse(pair);
    else pair.relapses = 0;
    pair.state = found;
    pair.sinceSec = foundSec;
    return true;
  }
  if (pair.betterSec === 0) pair.betterSec = nowSec;
  if (nowSec - pair.betterSec < recoverySec(pair, recoverSec)) return false;
  pair.state = found;
  pair.hasRecovered = found === FULL;
  pair.sinceSec = found === FULL ? pair.betterSec : foundSec;
  pair.betterSec = 0;
  return true;
}

/** It was better, and is not any more. */
function relapse(pair: Pair): void {
  pair.betterSec = 0;
  pair.relapses = Math.min(RELAPSES_MAX, pair.relapses + 1);
}

/** Whether it comes and goes. */
export function isFlapping(pair: Pair, nowSec: number): boolean {
  if (pair.relapses === 0) return false;
  return pair.state !== FULL || nowSec - pair.sinceSec < RELAPSE_SEC;
}
