import { StoreError } from '../../../src/model/errors.js';
import type { Random } from '../../helpers/random.js';
import { T0, type SmallStore } from '../../engine/small-store.js';
import { mutateJson } from '../mutate-json.js';
import { edgeOf } from '../mutate.js';
import { judgeQuery } from '../naive/query.js';
import { judgeJobs, judgeSelect } from '../naive/selections.js';
import type { Tally, Verdict } from '../naive/tally.js';
import { filledStore, type QueryStore } from '../query-store.js';
import { mustHold, Violation, type Target, type TargetEntry } from '../target.js';

/** An answer, or the message that it is refused with. */
type Ask = (body: string, turnMs: number) => string;

/** One of the interfaces: what is asked, how, and who says whether the answer is right. */
interface Interface {
  readonly name: string;
  readonly generate: (random: Random) => unknown;
  readonly makeAsk: (store: SmallStore) => Ask;
  readonly judge: (known: QueryStore, body: string, answer: string) => Verdict;
  /** What the store adds to a body before it reads it. */
  readonly defaults: object;
}

const REFUSED = 'refused: ';
const FIGURES = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last'];
const KEYS = (
  'cluster from to queries for-all-nodes with-stats with-data with-padding metric host type type-ids subtype ' +
  'subtype-ids resolution aggreg scale-by missing resample-algo select hosts scope ids sub-scope sub-ids aggregate ' +
  'by step points resample unit stats data sub-cluster jobs id metrics by-host archive __proto__ constructor'
).split(' ');
const TEXTS = (
  'c h0 h1 h* h[0-1] h[0-99999999] unseen sum avg none fast slow quiet hwthread node socket 0 1 0-3 lttb minmax max count ' +
  'now -6h host id null skip p95 stddev \ud800 \0 toString'
).split(' ');

/** Refusals of the caller are as good an answer as any; what else is thrown is a mistake of ours. */
function refusal(error: unknown): string {
  const isFine =
    error instanceof StoreError && ['bad-request', 'limit-exceeded'].includes(error.code);
  if (!isFine) throw error;
  mustHold(error.message.length < 5000, () => `a message of ${error.message.length} characters`);
  return REFUSED + error.message;
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
    if (random.chance(0.05)) continue;
    made[key] = random.chance(0.04) ? value(random, 0) : make();
  }
  if (random.chance(0.05)) made[random.pick(KEYS)] = value(random, 0);
  return made;
}

function range(random: Random): Record<string, () => unknown> {
  const mostlyOf = (good: readonly number[], odd: readonly number[]): number =>
    random.pick(random.chance(0.92) ? good : odd);
  return {
    from: () => mostlyOf([T0, T0, T0 + 600, T0 + 61, T0 - 45, T0 + 3333], [0, -1, T0 + 5000]),
    to: () => mostlyOf([T0 + 3600, T0 + 9017, T0 + 18_000, T0 + 18_000], [T0, T0 + 1, 1e12]),
  };
}

function v1(random: Random): unknown {
  const query = (): unknown =>
    mostly(random, {
      metric: () => random.pick(['sum', 'avg', 'fast', 'slow', 'none', 'quiet', 'unseen']),
      host: () => random.pick(['h0', 'h0', 'h1', 'h2', 'unseen']),
      ...(random.chance(0.6)
        ? {
            type: () => random.pick(['hwthread', 'hwthread', 'socket', 'node']),
            'type-ids': () => random.pick([['0', '1'], ['3', '9', '0'], [], ['0', '0']]),
          }
        : {}),
      ...(random.chance(0.1)
        ? {
            subtype: () => random.pick(['rail', 'filesystem']),
            'subtype-ids': () => random.pick([['1'], ['/home'], []]),
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
      queries: () => Array.from({ length: 1 + random.below(3) }, query),
      'for-all-nodes': () => random.pick([null, null, ['sum'], ['avg', 'fast', 'none']]),
      'with-stats': () => random.chance(0.8),
      'with-data': () => random.chance(0.8),
      'with-padding': () => random.chance(0.8),
      'resample-algo': () =>
        random.pick(['lttb', 'minmaxlttb', 'minmax', ...FIGURES, 'm4', 'simple']),
    }),
  };
}

function select(random: Random): unknown {
  const one = (): unknown =>
    mostly(random, {
      metric: () => random.pick(['sum', 'avg', ['fast', 'none'], '*', 's*']),
      hosts: () => random.pick(['h*', 'h[0-2]', ['h1'], '*', 'h0']),
      scope: () => random.pick(['hwthread', 'node', 'socket', 'node/filesystem', 'accelerator']),
      ...(random.chance(0.3) ? { ids: () => random.pick(['0-2', [1, '3'], 'none']) } : {}),
      ...(random.chance(0.4)
        ? {
            aggregate: () => random.pick(['sum', 'avg', 'min', 'max', 'count']),
            by: () => random.pick([['host'], [], ['type'], ['id', 'host']]),
          }
        : {}),
      ...(random.chance(0.5)
        ? {
            step: () => random.pick([60, '5m', 90, 7200]),
            resample: () => random.pick([...FIGURES, 'lttb', 'm4', 'minmaxlttb', 'simple']),
          }
        : { points: () => random.pick([1, 3, 100, 1e6]) }),
      stats: () =>
        random.pick([['avg'], ['p95', 'stddev', 'twa'], ['min', 'max', 'count'], ['sum', 'last']]),
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
      ...(random.chance(0.2) ? { ids: () => random.pick(['0-1', [3], 'none']) } : {}),
      ...range(random),
    });
  return {
    cluster: 'c',
    from: T0,
    to: T0 + 3600,
    ...mostly(random, {
      metrics: () => random.pick([['sum'], ['avg', 'none'], ['fast', 'slow'], '*']),
      stats: () =>
        random.pick([['avg', 'max'], ['min', 'integral'], ['count', 'stddev'], ['sum'], ['twa']]),
      jobs: () => Array.from({ length: 1 + random.below(3) }, job),
      'by-host': () => random.chance(0.3),
    }),
  };
}

let shared: QueryStore | undefined;

/**
 * Any JSON is answered, or refused by name; in one turn as in many, and a second time as the first. The
 * numbers are those that a naive store has.
 */
class QueriesTarget implements Target {
  readonly name: string;
  readonly mutate = mutateJson;
  readonly #asked: Interface;
  readonly #known = (shared ??= filledStore());
  readonly #ask: Ask;
  #answered = 0;
  #compared = 0;

  constructor(asked: Interface, makeAsk = asked.makeAsk) {
    this.name = asked.name;
    this.#asked = asked;
    this.#ask = makeAsk(this.#known.store);
  }

  generate(random: Random): Buffer {
    return Buffer.from(JSON.stringify(this.#asked.generate(random)));
  }

  tally(): Tally {
    return { answered: this.#answered, compared: this.#compared };
  }

  run(input: Buffer): void {
    const body = input.toString();
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      return;
    }
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return;
    const first = this.#answer(body, Infinity);
    for (const turnMs of [Infinity, 0]) {
      const again = this.#answer(body, turnMs);
      mustHold(again === first, () => `${again.slice(0, 500)}\n at first ${first.slice(0, 500)}`);
    }
    if (first.startsWith(REFUSED)) return;
    const { defaults, judge } = this.#asked;
    const whole = JSON.stringify({ ...defaults, ...parsed });
    const { answered, compared, difference } = judge(this.#known, whole, first);
    mustHold(difference === '', () => `${difference}: ${first.slice(0, 500)}`);
    this.#answered += answered;
    this.#compared += compared;
  }

  #answer(body: string, turnMs: number): string {
    try {
      return this.#ask(body, turnMs);
    } catch (error) {
      if (error instanceof Violation) throw error;
      return refusal(error);
    }
  }
}

const RANGE = { cluster: 'c', from: T0, to: T0 + 300 };
const QUERY: Interface = {
  name: 'query',
  generate: v1,
  makeAsk: askV1,
  judge: judgeQuery,
  defaults: RANGE,
};
const SELECT: Interface = {
  name: 'select',
  generate: select,
  makeAsk: askSelect,
  judge: judgeSelect,
  defaults: RANGE,
};
const JOBS: Interface = {
  name: 'job-stats',
  generate: jobs,
  makeAsk: askJobs,
  judge: judgeJobs,
  defaults: {},
};

/** Answers of which some are wrong. */
function wrongly(
  asked: Interface,
  change: (answer: string, calls: number) => string,
): () => Target {
  const makeAsk = (store: SmallStore): Ask => {
    const ask = asked.makeAsk(store);
    let calls = 0;
    return (body, turnMs) => change(ask(body, turnMs), ++calls);
  };
  return () => new QueriesTarget(asked, makeAsk);
}

/** Each other answer has the digits of its numbers in another order. */
function alternating(answer: string, calls: number): string {
  return calls % 2 === 0 ? answer.replace(/12/, '21') : answer;
}

/** A number behind some text becomes one that is `change` of it, in every answer. */
function numberChanged(
  before: RegExp,
  change: (value: number) => number,
): (text: string) => string {
  const number = new RegExp(`(${before.source})(-?\\d[\\d.e+-]*)`);
  return (answer) =>
    answer.replace(number, (_, text: string, digits: string) => text + change(Number(digits)));
}

/** Off by a few of the digits that a sum in single precision would have. */
const asSingle = (value: number): number => value * (1 + 1e-7);

export const queryV1: TargetEntry = {
  name: 'query',
  shortRuns: 600,
  comparedShareMin: 0.9,
  make: () => new QueriesTarget(QUERY),
  mutants: {
    'a long answer takes down the store': wrongly(QUERY, (answer) => {
      if (answer.length > 3000) throw new RangeError('offset is out of bounds');
      return answer;
    }),
    'the second answer rounds': wrongly(QUERY, (answer, calls) =>
      calls % 3 === 2 ? answer.replace(/\.25/, '.2') : answer,
    ),
    'averages of single precision': wrongly(QUERY, numberChanged(/"avg":/, asSingle)),
    'a point that is another': wrongly(
      QUERY,
      numberChanged(/null,null,/, (value) => value + 1),
    ),
    'a gap is filled': wrongly(QUERY, (answer) => answer.replace(/(\d),null,(?=\d)/, '$1,0,')),
  },
};

export const querySelect: TargetEntry = {
  name: 'select',
  shortRuns: 400,
  comparedShareMin: 0.9,
  make: () => new QueriesTarget(SELECT),
  mutants: {
    'the order depends on the turn': wrongly(SELECT, alternating),
    'averages of single precision': wrongly(SELECT, numberChanged(/"avg":/, asSingle)),
    'the last point but one is another': wrongly(
      SELECT,
      numberChanged(/"data":\[[^\]]*,(?=[^,\]]*,[^,\]]*\])/, (value) => value + 1),
    ),
  },
};

export const queryJobs: TargetEntry = {
  name: 'job-stats',
  shortRuns: 600,
  comparedShareMin: 0.9,
  make: () => new QueriesTarget(JOBS),
  mutants: {
    'the order depends on the turn': wrongly(JOBS, alternating),
    'largest values are others': wrongly(JOBS, numberChanged(/"max":/, asSingle)),
  },
};
