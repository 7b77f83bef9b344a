import { METRIC_STATES } from '../../src/model/health.js';

/** Seconds of the samples of each series: by host, metric and level. */
export type Samples = Map<string, Map<string, Map<string, number[]>>>;

interface Shown {
  state: number;
  since: number;
  /** When it was found better than what is shown; undefined: it is not. */
  better: number | undefined;
  relapses: number;
  recovered: number | undefined;
}

/**
 * The rules of the health check as plainly as can be: all is found from the samples at each check. It judges
 * the checker of shards on random histories.
 */
export class NaiveHealth {
  readonly #hosts = new Map<string, Map<string, Shown>>();
  readonly #recoverSec: number;
  readonly #stepSec: number;
  /** Metrics that each of these hosts is expected to have. */
  readonly #expected: ReadonlyMap<string, readonly string[]>;

  constructor(
    stepSec: number,
    recoverSec: number,
    expected: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#stepSec = stepSec;
    this.#recoverSec = recoverSec;
    this.#expected = expected;
  }

  check(now: number, samples: Samples): void {
    for (const host of new Set([
      ...this.#hosts.keys(),
      ...samples.keys(),
      ...this.#expected.keys(),
    ])) {
      const metrics = samples.get(host) ?? new Map<string, Map<string, number[]>>();
      const shown = this.#hosts.get(host) ?? new Map<string, Shown>();
      const wanted = new Set([...metrics.keys(), ...(this.#expected.get(host) ?? [])]);
      for (const metric of shown.keys()) if (!wanted.has(metric)) shown.delete(metric);
      for (const metric of wanted) {
        const [state, since] = this.#find(now, metrics.get(metric));
        const pair = shown.get(metric);
        if (pair) this.#update(pair, state, since, now);
        else {
          const pair = { state, since, better: undefined, relapses: 0, recovered: undefined };
          shown.set(metric, pair);
        }
      }
      if (wanted.size > 0) this.#hosts.set(host, shown);
      else this.#hosts.delete(host);
    }
  }

  /** What is true of a metric now, and since when. */
  #find(now: number, series: Map<string, number[]> | undefined): [state: number, since: number] {
    if (!series) return [METRIC_STATES.indexOf('missing'), now];
    const ends = [...series.values()].map((times) => Math.max(...times) + this.#stepSec);
    const until = Math.min(...ends) + 5 * this.#stepSec;
    return now > until
      ? [METRIC_STATES.indexOf('degraded'), until]
      : [METRIC_STATES.indexOf('full'), now];
  }

  #update(pair: Shown, state: number, since: number, now: number): void {
    const isBetter = state < pair.state;
    if (!isBetter && pair.better !== undefined) {
      pair.better = undefined;
      pair.relapses++;
    } else if (state > pair.state && pair.state === 0) {
      const isSoon = pair.recovered !== undefined && now - pair.recovered < 3600;
      pair.relapses = isSoon ? pair.relapses + 1 : 0;
    }
    if (state > pair.state) {
      pair.state = state;
      pair.since = since;
    }
    if (!isBetter) return;
    pair.better ??= now;
    if (now - pair.better < Math.min(1800, this.#recoverSec * 2 ** pair.relapses)) return;
    pair.recovered = state === 0 ? pair.better : undefined;
    pair.since = state === 0 ? pair.better : since;
    pair.state = state;
    pair.better = undefined;
  }

  /** `host metric state@since`, `~` behind what is flapping, in sorted order. */
  lines(now: number): string[] {
    return [...this.#hosts]
      .flatMap(([host, shown]) =>
        [...shown].map(([metric, { state, since, relapses }]) => {
          const isFlapping = relapses > 0 && (state !== 0 || now - since < 3600);
          return `${host} ${metric} ${METRIC_STATES[state]}@${since}${isFlapping ? '~' : ''}`;
        }),
      )
      .sort();
  }
}
