import { machineText, type Machine } from '../report/machine.js';
import { markdownTable } from '../report/markdown-table.js';
import { lineChart, short, stackCharts } from '../report/svg-chart.js';
import { costOf, trendOf, type Knee, type Trend } from './fit.js';
import { CHARTS, MEASURES, type Measure } from './measures.js';
import { AXES, AXIS_TITLES, type AxisName } from './plan.js';
import type { PointResult } from './point.js';

/** What `scaling.json` holds. */
export interface Study {
  readonly machine: Machine;
  /** For how long ingest was timed at a point. */
  readonly seconds: number;
  readonly points: readonly PointResult[];
  /** Points that were not measured, and why. */
  readonly skipped: readonly { readonly axis: string; readonly x: number; readonly why: string }[];
  readonly trends: readonly AxisTrend[];
  readonly costs: readonly AdditiveCost[];
}

/** How a measure follows an axis. */
export interface AxisTrend extends Trend {
  readonly axis: AxisName;
  readonly key: string;
}

/** `fixed + each · x`. */
export interface AdditiveCost {
  readonly axis: AxisName;
  readonly key: string;
  readonly what: string;
  readonly unit: string;
  readonly fixed: number;
  readonly each: number;
  readonly per: string;
  readonly explained: number;
}

/** Where a cost is the sum of two. `of` is the measure that x is, if it is not the axis itself. */
const ADDITIVE: readonly (Pick<AdditiveCost, 'axis' | 'key' | 'what' | 'unit' | 'per'> & {
  readonly of?: string;
})[] = [
  cost('batch', 'frontUsPerRequest', 'CPU of the front for a write', 'µs', 'line'),
  cost('batch', 'shardsUsPerRequest', 'CPU of shards for a write', 'µs', 'line'),
  cost('shards', 'emptyBytes', 'memory of the empty store', 'bytes', 'shard'),
  cost('samples', 'rssBytesPerSeries', 'memory of a series', 'bytes', 'sample'),
  cost('samples', 'diskBytesPerSeries', 'a series on disk', 'bytes', 'sample'),
  cost('samples', 'q4AllUsPerSeries', 'statistics of a series', 'µs', 'sample'),
  { ...cost('samples', 'checkpointShardSec', 'CPU of a checkpoint', 's', 'sample'), of: 'samples' },
  { ...cost('samples', 'restartShardSec', 'CPU of a restart', 's', 'sample'), of: 'samples' },
];

function cost(axis: AxisName, key: string, what: string, unit: string, per: string) {
  return { axis, key, what, unit, per };
}

/** All that follows from the points. */
export function studyOf(head: Pick<Study, 'machine' | 'seconds' | 'points' | 'skipped'>): Study {
  const trends = AXES.flatMap((axis) =>
    MEASURES.flatMap(({ key }) => {
      const points = having(head.points, axis, key);
      const trend = trendOf(
        points.map(({ x }) => x),
        points.map(({ measures }) => measures[key]!),
      );
      return trend ? [{ axis, key, ...trend }] : [];
    }),
  );
  const costs = ADDITIVE.flatMap(({ of, ...what }) => {
    const points = having(head.points, what.axis, what.key);
    if (points.length < 2) return [];
    const x = points.map((point) =>
      of ? point.measures[of]! : (xOf(what.axis, point) ?? point.x),
    );
    const line = costOf(
      x,
      points.map(({ measures }) => measures[what.key]!),
    );
    const { intercept: fixed, slope: each, explained } = line;
    return [{ ...what, fixed, each, explained }];
  });
  return { ...head, trends, costs };
}

/** Requests at the end of a round may be smaller than the axis says: their mean counts. */
function xOf(axis: AxisName, point: PointResult): number | undefined {
  return axis === 'batch' ? point.measures['linesPerRequest'] : undefined;
}

function having(points: readonly PointResult[], axis: string, key: string): PointResult[] {
  return points.filter((point) => point.axis === axis && point.measures[key] !== undefined);
}

/** The study as Markdown. */
export function studyText(study: Study): string {
  const parts = [
    '# Where costs grow',
    `\`npm run bench -- scaling\`, ${study.seconds} s of ingest at a point; ${machineText(study.machine)}. ` +
      'What is measured, and how to read it: [bench/scaling](../scaling/README.md).',
    '![Curves](scaling.svg)',
  ];
  for (const axis of AXES) {
    const points = study.points.filter((point) => point.axis === axis);
    if (points.length > 0) parts.push(...axisText(study, axis, points));
  }
  for (const { axis, x, why } of study.skipped) {
    parts.push(`Not measured: ${AXIS_TITLES[axis as AxisName]} = ${short(x)}, ${why}.`);
  }
  if (study.costs.length > 0) parts.push('## Sums of two costs', costTable(study.costs));
  return `${parts.join('\n\n')}\n`;
}

function axisText(study: Study, axis: AxisName, points: readonly PointResult[]): string[] {
  const rows = MEASURES.filter(({ key }) => having(points, axis, key).length > 0).map((measure) => {
    const trend = study.trends.find((one) => one.axis === axis && one.key === measure.key);
    return [
      `${measure.title}, ${measure.unit}`,
      ...points.map(({ measures }) => figureOf(measures, measure)),
      trend ? trend.exponent.toFixed(2) : '',
      trend ? trend.words : '',
      trend?.knee ? kneeText(trend.knee) : '',
    ];
  });
  const head = [
    AXIS_TITLES[axis],
    ...points.map(({ x }) => short(x)),
    'exponent',
    'in words',
    'knee at',
  ];
  const title = AXIS_TITLES[axis];
  return [
    `## ${title[0]!.toUpperCase()}${title.slice(1)}`,
    `${settingText(points)}.`,
    markdownTable(head, rows),
  ];
}

/** What does not vary along the points. */
function settingText(points: readonly PointResult[]): string {
  const settings: [keyof PointResult, string][] = [
    ['series', 'series'],
    ['shards', 'shards'],
    ['connections', 'connections'],
    ['batchLines', 'lines a request'],
    ['samplesPerSeries', 'samples a series'],
  ];
  const same = settings.filter(([key]) => new Set(points.map((point) => point[key])).size === 1);
  return same.map(([key, name]) => `${short(points[0]![key] as number)} ${name}`).join(', ');
}

function figureOf(measures: Readonly<Record<string, number>>, { key }: Measure): string {
  const value = measures[key];
  return value === undefined ? '' : short(value);
}

function kneeText({ at, before, after }: Knee): string {
  return `${short(at)}: ${before.toFixed(1)} → ${after.toFixed(1)}`;
}

function costTable(costs: readonly AdditiveCost[]): string {
  return markdownTable(
    ['cost', 'fixed', 'and for each', '', 'explained'],
    costs.map(({ what, unit, fixed, each, per, explained }) => [
      `${what}, ${unit}`,
      short(fixed),
      per,
      short(each),
      explained.toFixed(3),
    ]),
  );
}

/** Curves of all axes, one chart below the other. */
export function studyChart(study: Study): string {
  const charts = AXES.flatMap((axis) =>
    CHARTS.flatMap(({ title, unit, keys }) => {
      const curves = keys.flatMap((key) => {
        const points = having(study.points, axis, key);
        if (points.length < 2) return [];
        const name = MEASURES.find((measure) => measure.key === key)!.title;
        return [
          { name, x: points.map(({ x }) => x), y: points.map(({ measures }) => measures[key]!) },
        ];
      });
      if (curves.length === 0) return [];
      return [
        lineChart({
          title: `${title} over ${AXIS_TITLES[axis]}`,
          xTitle: AXIS_TITLES[axis],
          yTitle: unit,
          xLog: true,
          yLog: true,
          curves,
        }),
      ];
    }),
  );
  return stackCharts(charts);
}
