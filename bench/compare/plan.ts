import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run bench -- compare [flags]
  --stores A,B         only those whose name begins so; default: all that are there
  --cc-metric-store F  binary of cc-metric-store
  --hours N            data that is loaded before questions are asked (default 12)
  --peer-hours N       the same for the others (default: as --hours)
  --load-minutes N     the load of a store ends after so long; what it has by then is asked
                       for, and the report says so (default 4)
  --memory-hours N     metricshard alone is filled with so much once more (default 48; 0: not)
  --rounds N           each timed part of each store is repeated so often, in turns (default 3)
  --seconds N          ingest is timed for N s a round (default 10), a question for N / 5
  --scale N            share of the workload's hosts (default 1)
  --smoke              all of it for a moment, with few hosts
  --out DIR            for compare.json, compare.md, compare.svg
                       (default bench/results, of the smoke form var/bench)`;

/** All hosts that a job needs: 0.19 × 86. */
const SMOKE_SCALE = 0.19;

/** What a run of the comparison does. */
export interface Plan {
  /** Beginnings of names in lower case; undefined: all. */
  readonly stores: readonly string[] | undefined;
  readonly ccMetricStore: string | undefined;
  readonly hours: number;
  readonly peerHours: number;
  readonly loadSec: number;
  readonly memoryHours: number;
  readonly rounds: number;
  readonly ingestSec: number;
  readonly querySec: number;
  readonly idleSec: number;
  /** Of a load before questions are asked beside it. */
  readonly loadWarmUpSec: number;
  /** Before the first time of each question. */
  readonly warmUpSec: number;
  readonly scale: number;
  readonly connections: readonly number[];
  /** How many of the questions metricshard is asked beside ingest. */
  readonly besideCount: number;
  /** How often each of them. */
  readonly besideTurns: number;
  /** Whether the benches of single kernels run as well. */
  readonly hasKernels: boolean;
  readonly isSmoke: boolean;
  readonly folder: string;
}

/** Reads the flags; throws an Error that says what is wrong with them. */
export function parsePlan(argv: string[]): Plan {
  const { values } = parseArgs({
    args: argv,
    options: {
      stores: { type: 'string' },
      'cc-metric-store': { type: 'string' },
      hours: { type: 'string' },
      'peer-hours': { type: 'string' },
      'load-minutes': { type: 'string' },
      'memory-hours': { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      scale: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const { smoke } = values;
  type Name = Exclude<keyof typeof values, 'smoke'>;
  const number = (name: Name, fallback: number, isAllowed = (n: number) => n > 0): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (!Number.isFinite(value) || !isAllowed(value)) {
      throw new Error(`--${name} ${values[name]}: not a number that makes sense here`);
    }
    return value;
  };
  const hours = number('hours', smoke ? 0.25 : 12);
  const seconds = number('seconds', smoke ? 0.5 : 10);
  return {
    stores: values.stores?.toLowerCase().split(','),
    ccMetricStore: values['cc-metric-store'],
    hours,
    peerHours: number('peer-hours', hours),
    loadSec: number('load-minutes', smoke ? 0.05 : 4) * 60,
    memoryHours: number('memory-hours', smoke ? 0 : 48, (n) => n >= 0),
    rounds: number('rounds', smoke ? 1 : 3, (n) => Number.isInteger(n) && n > 0),
    ingestSec: seconds,
    querySec: seconds / 5,
    idleSec: smoke ? 0.2 : 30,
    loadWarmUpSec: smoke ? 0.1 : 2,
    warmUpSec: smoke ? 0 : 1,
    scale: number('scale', smoke ? SMOKE_SCALE : 1),
    connections: smoke ? [4] : [4, 64],
    besideCount: smoke ? 1 : Infinity,
    besideTurns: smoke ? 1 : 5,
    hasKernels: !smoke,
    isSmoke: smoke,
    // What a smoke run measures is not to be kept.
    folder: values.out ?? (smoke ? 'var/bench' : 'bench/results'),
  };
}
