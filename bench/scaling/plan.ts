import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { HOSTS_MAX, linesPerHost, type Shape } from './workload.js';

export const USAGE = `usage: npm run bench -- scaling [flags]
  --axes A,B    of shards, series, samples, batch, connections, prefixes (default: all)
  --seconds N   ingest is timed for N s at each point (default 5), each query for N / 8
  --smoke       two small points of each axis
  --out FOLDER  where scaling.json, .md and .svg go (default bench/results, with --smoke nowhere)
  --json        what goes into scaling.json is printed as well
  --model       nothing is measured: the model of a site is computed from scaling.json in that
                folder, printed, and written into bench/scaling/MODEL.md`;

export const AXES = ['shards', 'series', 'samples', 'batch', 'connections', 'prefixes'] as const;
export type AxisName = (typeof AXES)[number];

/** What varies along an axis. */
export const AXIS_TITLES: Readonly<Record<AxisName, string>> = {
  shards: 'shards',
  series: 'series',
  samples: 'samples a series',
  batch: 'lines a request',
  connections: 'connections',
  prefixes: 'prefixes remembered, in parts of the series',
};

export const STEP_SEC = 60;
/** Queries ask for the newest of them, however many there are. */
export const ASKED_ROUNDS = 32;
const CONNECTIONS = 8;
const WARM_REQUESTS = 4000;
/** Enough for anything; where prefixes are few, an axis says how many. */
const PREFIXES_MAX = 8_000_000;
/** Series that fit into the default of one shard would not be five million. */
export const SERIES_MAX = 8_000_000;
/** So that few series do not get many samples each while others are timed by the clock. */
const TIMED_ROUNDS_MAX = 256;
/** A part and multiples of these are asked for: 1,170 lines a host. */
const THREADS = 114;
const BASE_HOSTS = 150;
/** 46,800 series: 10,000 samples of each are 468 M. */
const SAMPLES_HOSTS = 40;
/** Several hosts on each of the four shards, 130 lines each. */
const SMOKE_SHAPE = { hosts: 12, threads: 10 };

/** One store that is started, filled, asked and measured. */
export interface Point {
  readonly axis: AxisName;
  /** Where on the axis it is. */
  readonly x: number;
  readonly shape: Shape;
  readonly shards: number;
  readonly connections: number;
  readonly prefixesMax: number;
  /** Requests before anything but new series is timed: less would time a compiler at work. */
  readonly warmRequests: number;
  /** Rounds that are there before ingest is timed. */
  readonly loadRounds: number;
  /** At most so many are timed. */
  readonly timedRounds: number;
  /** Ingest is timed for so long, or 0: until all rounds are written. */
  readonly seconds: number;
  readonly querySec: number;
  /** Garbage of the load goes before memory is looked at. */
  readonly settleMs: number;
  /** Whether checkpoint and restarts are timed. */
  readonly isDurable: boolean;
}

export interface StudyPlan {
  readonly seconds: number;
  readonly points: readonly Point[];
  readonly out: string | undefined;
  readonly printsJson: boolean;
  readonly isModelOnly: boolean;
}

/** Reads the flags; throws an Error that says what is wrong with them. */
export function parseStudyPlan(argv: string[]): StudyPlan {
  const { values } = parseArgs({
    args: argv,
    options: {
      axes: { type: 'string', default: AXES.join() },
      seconds: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      model: { type: 'boolean', default: false },
    },
  });
  const { smoke } = values;
  const seconds = Number(values.seconds ?? (smoke ? 0.2 : 5));
  if (!(seconds > 0 && seconds < Infinity))
    throw new Error(`--seconds ${values.seconds}: not a number above 0`);
  const axes = values.axes.split(',').map((name) => {
    const axis = AXES.find((one) => one === name);
    if (!axis) throw new Error(`--axes ${name}: there are ${AXES.join(', ')}`);
    return axis;
  });
  return {
    seconds,
    points: axes.flatMap((axis) => pointsOf(axis, seconds, smoke)),
    out: values.out ?? (smoke ? undefined : 'bench/results'),
    printsJson: values.json,
    isModelOnly: values.model,
  };
}

/** All points of an axis; what does not vary is as at the base. */
export function pointsOf(axis: AxisName, seconds: number, isSmoke: boolean): Point[] {
  const { hosts, threads } = isSmoke ? SMOKE_SHAPE : { hosts: BASE_HOSTS, threads: THREADS };
  const hostLines = linesPerHost({ threads });
  const base: Omit<Point, 'x'> = {
    axis,
    shape: { hosts, threads, batchLines: hostLines },
    shards: Math.max(1, availableParallelism() - 1),
    connections: CONNECTIONS,
    prefixesMax: PREFIXES_MAX,
    warmRequests: isSmoke ? 0 : WARM_REQUESTS,
    loadRounds: ASKED_ROUNDS,
    timedRounds: TIMED_ROUNDS_MAX,
    seconds,
    querySec: seconds / 8,
    settleMs: isSmoke ? 50 : 1000,
    isDurable: axis === 'samples' || (axis === 'series' && !isSmoke),
  };
  const at = (x: number, changes: Partial<Point>): Point => ({ ...base, x, ...changes });
  const shaped = (shape: Partial<Shape>): { shape: Shape } => ({
    shape: { ...base.shape, ...shape },
  });
  switch (axis) {
    case 'shards':
      return (isSmoke ? [1, 2] : shardCounts()).map((shards) => at(shards, { shards }));
    case 'series':
      // Two shards throughout: five million series are too many prefixes and blocks for comfort in one.
      return (isSmoke ? [1000, 4000] : [1e4, 1e5, 1e6, 2.5e6, 5e6]).map((series) => {
        const count = Math.min(HOSTS_MAX, Math.round(series / hostLines));
        return at(count * hostLines, { ...shaped({ hosts: count }), shards: 2 });
      });
    case 'samples':
      return (isSmoke ? [64, 256] : [100, 300, 1000, 3000, 10_000]).map((samples) =>
        at(samples, {
          ...shaped(isSmoke ? {} : { hosts: SAMPLES_HOSTS }),
          loadRounds: samples / 2,
          timedRounds: samples / 2,
          seconds: 0,
        }),
      );
    case 'batch':
      return (isSmoke ? [10, 130] : [1, 10, 90, 1170, 11_700]).map((batchLines) =>
        at(batchLines, shaped({ batchLines })),
      );
    case 'connections':
      return (isSmoke ? [1, 8] : [1, 8, 64, 256, 1000]).map((connections) =>
        at(connections, { connections }),
      );
    case 'prefixes':
      // One shard has them all: where hosts are spread, some shards have more than others.
      return (isSmoke ? [2, 0.5] : [2, 1.1, 0.9, 0.5]).map((part) =>
        at(part, { shards: 1, prefixesMax: Math.round(part * hosts * hostLines) }),
      );
  }
}

/** 1, 2, 4, … up to twice the cores. */
function shardCounts(): number[] {
  const most = 2 * availableParallelism();
  const counts: number[] = [];
  for (let count = 1; count <= most; count *= 2) counts.push(count);
  return counts;
}
