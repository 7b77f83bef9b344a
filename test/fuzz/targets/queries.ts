import { StoreError } from '../../../src/model/errors.js';
import type { Random } from '../../helpers/random.js';
import { SmallStore, T0 } from '../../engine/small-store.js';
import { edgeOf, mutateBytes } from '../mutate.js';
import { mustHold, Violation, type Target, type TargetEntry } from '../target.js';

/** An answer, or the message that it is refused with. */
type Ask = (body: string, turnMs: number) => string;

const LIMITS = { pointsMax: 50_000, seriesPerQueryMax: 1000, queriesMax: 50 };
const KEYS = (
  'cluster from to queries for-all-nodes with-stats with-data with-padding metric host type type-ids subtype ' +
  'subtype-ids resolution aggreg scale-by missing resample-algo select hosts scope ids sub-scope sub-ids aggregate ' +
  'by step points resample unit stats data sub-cluster jobs id metrics by-host archive __proto__ constructor'
).split(' ');
const TEXTS = (
  'c h0 h1 h* h[0-1] h[0-99999999] unseen sum avg none quiet hwthread node socket 0 1 0-3 lttb minmax avg max count ' +
  'now -6h host id null skip p95 stddev \ud800 \0 toString'
).split(' ');

function filled(): SmallStore {
  const store = new SmallStore(LIMITS);
  for (const host of ['h0', 'h1', 'h2']) {
    for (const metric of ['sum', 'avg', 'none']) {
      for (const id of ['0', '1', '2', '3']) {
        const values = Array.from({ length: 300 }, (_, slot) =>
          (slot + Number(id)) % 17 === 0 ? null : slot * 1.25 + Number(id),
        );
        store.put(metric, [host, 'hwthread', id], values);
      }
      store.put(metric, [host], [1, null, 3]);
    }
  }
  return store;
}

/** Refusals of the caller are as good an answer as any; what else is thrown is a mistake of ours. */
function refusal(error: unknown): string {
  const isFine =
    error instanceof StoreError && ['bad-request', 'limit-exceeded'].includes(error.code);
  if (!isFine) throw error;
  mustHold(error.message.length < 5000, () => `a message of ${error.message.length} characters`);
  return `refused: ${error.message}`;
}

/** Bodies whose text reaches the engine as it came. */
function askV1(store: SmallStore): Ask {
  return (body, turnMs) => {
    const request = JSON.parse(body) as object;
    const { text, result } = store.turns(request, null, () => turnMs);
    if (result.error) return refusal(StoreError.fromData(result.error));
    const { results } = JSON.parse(text) as { results: { from: number; data?: unknown[] }[][] };
    mustHold(Array.isArray(results), () => 'no results');
    return text;
  };
}

function askSelect(store: SmallStore): Ask {
  return (body, turnMs) => {
    const { bytes } = store.select(JSON.parse(body) as object, 'json', () => turnMs);
    const { results } = JSON.parse(bytes.toString()) as { results: unknown };
    mustHold(Array.isArray(results), () => 'no results');
    return bytes.toString();
  };
}

function askJobs(store: SmallStore): Ask {
  return (body) => JSON.stringify(store.jobStats(JSON.parse(body) as object));
}

function value(random: Random, depth: number): unknown {
  switch (random.below(depth > 3 ? 5 : 8)) {
    case 0:
      return Number(edgeOf(random)) || 0;
    case 1:
      return random.pick([0, 1, 60, 3600, T0, T0 + 3600, 1e12, -1, 1e-9, 600, 2 ** 53]);
    case 2:
      return random.pick([true, false, null]);
    case 3:
    case 4:
      return random.pick(TEXTS);
    case 5:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [
          random.pick(KEYS),
          value(random, depth + 1),
        ]),
      );
    default:
      return Array.from({ length: random.below(random.chance(0.02) ? 500 : 4) }, () =>
        value(random, depth + 1),
      );
  }
}

/** Keys of an object, each with a value that is mostly good, few of them left out or replaced. */
function mostly(random: Random, good: Record<string, () => unknown>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [key, make] of Object.entries(good)) {
    if (random.chance(0.2)) continue;
    made[key] = random.chance(0.04) ? value(random, 0) : make();
  }
  if (random.chance(0.05)) made[random.pick(KEYS)] = value(random, 0);
  return made;
}

function range(random: Random): Record<string, () => unknown> {
  return {
    from: () => random.pick([T0, T0, T0 + 600, 0, T0 + 61, -1]),
    to: () => random.pick([T0 + 3600, T0 + 18_000, T0 + 1, 1e12, T0]),
  };
}

function v1(random: Random): unknown {
  const query = (): unknown =>
    mostly(random, {
      metric: () => random.pick(['sum', 'avg', 'none', 'quiet', 'unseen']),
      host: () => random.pick(['h0', 'h1', 'h2', 'unseen']),
      ...(random.chance(0.6)
        ? {
            type: () => 'hwthread',
            'type-ids': () => random.pick([['0', '1'], ['3', '9', '0'], [], ['0', '0']]),
          }
        : {}),
      resolution: () => random.pick([0, 60, 120, 90, 600, 1e9]),
      aggreg: () => random.chance(0.3),
      'scale-by': () => random.pick([1, 0.5, -3, 1e300]),
      missing: () => random.pick(['null', 'skip']),
    });
  return {
    cluster: 'c',
    ...mostly(random, {
      ...range(random),
      queries: () => Array.from({ length: random.below(4) }, query),
      'for-all-nodes': () => random.pick([null, ['sum'], ['avg', 'none']]),
      'with-stats': () => random.chance(0.8),
      'with-data': () => random.chance(0.8),
      'with-padding': () => random.chance(0.8),
      'resample-algo': () => random.pick(['lttb', 'minmax', 'avg', 'm4', 'simple']),
    }),
  };
}

function select(random: Random): unknown {
  const one = (): unknown =>
    mostly(random, {
      metric: () => random.pick(['sum', ['avg', 'none'], '*', 's*']),
      hosts: () => random.pick(['h*', 'h[0-2]', ['h1'], '*', 'h0']),
      scope: () => random.pick(['hwthread', 'node', 'socket']),
      ...(random.chance(0.3) ? { ids: () => random.pick(['0-2', [1, '3'], 'none']) } : {}),
      ...(random.chance(0.4)
        ? { aggregate: () => random.pick(['sum', 'avg', 'min', 'count']), by: () => ['host'] }
        : {}),
      ...(random.chance(0.5)
        ? {
            step: () => random.pick([60, '5m', 7200]),
            resample: () => random.pick(['max', 'lttb', 'm4']),
          }
        : { points: () => random.pick([1, 3, 100, 1e6]) }),
      stats: () => random.pick([['avg'], ['p95', 'stddev', 'twa'], ['min', 'max', 'count']]),
      missing: () => random.pick(['skip', 'null']),
      data: () => random.chance(0.8),
    });
  return mostly(random, {
    ...range(random),
    select: () => (random.chance(0.5) ? one() : [one(), one()]),
  });
}

function jobs(random: Random): unknown {
  const job = (): unknown =>
    mostly(random, {
      id: () => random.below(1e6),
      hosts: () => random.pick(['h0', 'h[0-2]', ['h1', 'unseen']]),
      ...range(random),
    });
  return {
    cluster: 'c',
    from: T0,
    to: T0 + 3600,
    ...mostly(random, {
      metrics: () => random.pick([['sum'], ['avg', 'none'], '*']),
      stats: () => random.pick([['avg', 'max'], ['twa', 'integral'], ['count']]),
      jobs: () => Array.from({ length: random.below(4) }, job),
      'by-host': () => random.chance(0.3),
    }),
  };
}

let shared: SmallStore | undefined;

/** Any JSON is answered, or refused by name; in one turn as in many, and a second time as the first. */
function queriesTarget(
  name: string,
  generate: (random: Random) => unknown,
  makeAsk: (store: SmallStore) => Ask,
): Target {
  const ask = makeAsk((shared ??= filled()));
  const answer = (body: string, turnMs: number): string => {
    try {
      return ask(body, turnMs);
    } catch (error) {
      if (error instanceof Violation) throw error;
      return refusal(error);
    }
  };
  return {
    name,
    generate: (random) => Buffer.from(JSON.stringify(generate(random))),
    mutate: mutateBytes,
    run(input) {
      const body = input.toString();
      let parsed: unknown;
      try {
        parsed = JSON.parse(body);
      } catch {
        return;
      }
      if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return;
      const first = answer(body, Infinity);
      for (const turnMs of [Infinity, 0]) {
        const again = answer(body, turnMs);
        mustHold(again === first, () => `${again.slice(0, 500)}\n at first ${first.slice(0, 500)}`);
      }
    },
  };
}

/** Answers of which some are wrong. */
function wrongly(
  makeAsk: (store: SmallStore) => Ask,
  change: (answer: string, calls: number) => string,
): (store: SmallStore) => Ask {
  return (store) => {
    const ask = makeAsk(store);
    let calls = 0;
    return (body, turnMs) => change(ask(body, turnMs), ++calls);
  };
}

/** Each other answer has the digits of its numbers in another order. */
function alternating(answer: string, calls: number): string {
  return calls % 2 === 0 ? answer.replace(/12/, '21') : answer;
}

export const queryV1: TargetEntry = {
  name: 'query',
  shortRuns: 600,
  make: () => queriesTarget('query', v1, askV1),
  mutants: {
    'a long answer takes down the store': () =>
      queriesTarget(
        'query',
        v1,
        wrongly(askV1, (answer) => {
          if (answer.length > 3000) throw new RangeError('offset is out of bounds');
          return answer;
        }),
      ),
    'the second answer rounds': () =>
      queriesTarget(
        'query',
        v1,
        wrongly(askV1, (answer, calls) =>
          calls % 3 === 2 ? answer.replace(/\.25/, '.2') : answer,
        ),
      ),
  },
};

export const querySelect: TargetEntry = {
  name: 'select',
  shortRuns: 600,
  make: () => queriesTarget('select', select, askSelect),
  mutants: {
    'the order depends on the turn': () =>
      queriesTarget('select', select, wrongly(askSelect, alternating)),
  },
};

export const queryJobs: TargetEntry = {
  name: 'job-stats',
  shortRuns: 600,
  make: () => queriesTarget('job-stats', jobs, askJobs),
  mutants: {
    'the order depends on the turn': () =>
      queriesTarget('job-stats', jobs, wrongly(askJobs, alternating)),
  },
};
