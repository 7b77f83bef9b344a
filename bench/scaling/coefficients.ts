import { leastSquares, median } from '../report/statistics.js';
import { costOf } from './fit.js';
import type { AxisName } from './plan.js';
import type { PointResult } from './point.js';

/** What single things cost, in µs of a thread and in bytes: what the model of a site is made of. */
export interface Coefficients {
  readonly frontUsPerRequest: number;
  readonly frontUsPerLine: number;
  /** To find the shards of a body's lines, where there are several. */
  readonly frontCutUsPerLine: number;
  readonly shardUsPerRequest: number;
  /** With the most samples in memory that were measured. */
  readonly shardUsPerLine: number;
  /** Garbage collection and the like. */
  readonly othersUsPerLine: number;
  readonly newSeriesUs: number;
  readonly emptyBytes: number;
  readonly bytesPerShard: number;
  readonly bytesPerSeries: number;
  readonly bytesPerSample: number;
  readonly logBytesPerSample: number;
  /** Written anew by each checkpoint. */
  readonly stateBytesPerSeries: number;
  /** Written once. */
  readonly segmentBytesPerSample: number;
  readonly checkpointUsPerSeries: number;
  readonly checkpointUsPerSample: number;
  readonly restartUsPerSeries: number;
  readonly restartUsPerSample: number;
  readonly replayUsPerLine: number;
  /** Statistics of a series over a time. */
  readonly statisticsUsPerSeries: number;
  readonly statisticsUsPerSample: number;
  /** A query of one series. */
  readonly queryUs: number;
}

const US = 1e6;

/** Throws where an axis that is needed was not measured. */
export function coefficientsOf(points: readonly PointResult[]): Coefficients {
  const axis = (name: AxisName): PointResult[] => {
    const found = points.filter((point) => point.axis === name);
    if (found.length < 2) throw new Error(`the model needs two points of the axis ${name}`);
    return found;
  };
  const fit = (along: readonly PointResult[], key: string, of = xOf) =>
    costOf(along.map(of), valuesOf(along, key));
  const [batch, samples, series, shards] = [
    axis('batch'),
    axis('samples'),
    axis('series'),
    axis('shards'),
  ];
  const most = samples.at(-1)!;
  const base = shards[0]!;
  const front = fit(batch, 'frontUsPerRequest', linesOf);
  const shard = fit(batch, 'shardsUsPerRequest', linesOf);
  const shardUsPerRequest = Math.max(0, shard.intercept);
  const held = fit(samples, 'rssBytesPerSeries');
  const disk = fit(samples, 'diskBytesPerSeries');
  const empty = fit(shards, 'emptyBytes');
  const statistics = fit(samples, 'q4AllUsPerSeries');
  const checkpoint = bySeriesAndSamples(series, samples, 'checkpointShardSec');
  const restart = bySeriesAndSamples(series, samples, 'restartShardSec');
  return {
    frontUsPerRequest: Math.max(0, front.intercept),
    frontUsPerLine: front.slope,
    frontCutUsPerLine: Math.max(0, shards[1]!.measures['frontUsPerLine']! - frontOf(base)),
    shardUsPerRequest,
    shardUsPerLine: most.measures['shardsUsPerLine']! - shardUsPerRequest / linesOf(most),
    othersUsPerLine: base.measures['othersUsPerLine']!,
    newSeriesUs: median(valuesOf(series, 'newSeriesUs')),
    emptyBytes: empty.intercept,
    bytesPerShard: Math.max(0, empty.slope),
    bytesPerSeries: Math.max(0, held.intercept),
    bytesPerSample: held.slope,
    logBytesPerSample: most.measures['logBytesPerSample']!,
    stateBytesPerSeries: Math.max(0, disk.intercept),
    segmentBytesPerSample: disk.slope,
    checkpointUsPerSeries: checkpoint.usPerSeries,
    checkpointUsPerSample: checkpoint.usPerSample,
    restartUsPerSeries: restart.usPerSeries,
    restartUsPerSample: restart.usPerSample,
    replayUsPerLine: Math.max(0, median(valuesOf(samples, 'replayUsPerLine'))),
    statisticsUsPerSeries: Math.max(0, statistics.intercept),
    statisticsUsPerSample: Math.max(0, statistics.slope),
    queryUs: base.measures['q1Us']!,
  };
}

/**
 * Of a cost that has a part for each sample and one for each series: the first is the slope where
 * samples vary, the second that of what is left where series do.
 */
function bySeriesAndSamples(
  series: readonly PointResult[],
  samples: readonly PointResult[],
  key: string,
): { usPerSeries: number; usPerSample: number } {
  const secPerSample = costOf(valuesOf(samples, 'samples'), valuesOf(samples, key)).slope;
  const left = series.map(({ measures }) => measures[key]! - secPerSample * measures['samples']!);
  const sizes = series.map((point) => point.series);
  // What is left may be near 0, where a share of it says nothing: errors count as they are.
  const secPerSeries = Math.max(0, leastSquares(sizes, left).slope);
  return { usPerSeries: secPerSeries * US, usPerSample: secPerSample * US };
}

function xOf({ x }: PointResult): number {
  return x;
}

function linesOf({ measures }: PointResult): number {
  return measures['linesPerRequest']!;
}

function frontOf({ measures }: PointResult): number {
  return measures['frontUsPerLine']!;
}

function valuesOf(points: readonly PointResult[], key: string): number[] {
  return points.map(({ axis, x, measures }) => {
    const value = measures[key];
    if (value === undefined) throw new Error(`no ${key} at ${axis} ${x}`);
    return value;
  });
}
