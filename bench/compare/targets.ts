import type { Figures } from './figures.js';

const OWN = 'metricshard';
const REFERENCE = 'cc-metric-store';
/** Of its version 1.5.4 with its log, on a machine like those that targets were set for. */
export const REFERENCE_RECORDED_LINES_PER_SEC = 350_000;

/** What metricshard has to reach, and how that is told from figures. */
export interface Target {
  readonly what: string;
  readonly least?: number;
  readonly most?: number;
  readonly unit: string;
  /** Undefined: this run has not measured it. */
  readonly value: (figures: Figures) => number | undefined;
  /** The measure that shows what the others have, where it is one. */
  readonly measure?: string;
}

/** How a target came out. */
export interface Verdict {
  readonly target: Target;
  readonly value: number | undefined;
  readonly isMet: boolean | undefined;
  readonly note: string;
}

function median(measure: string, factor = 1): (figures: Figures) => number | undefined {
  return (figures) => {
    const value = figures.median(measure, OWN);
    return value === undefined ? undefined : value * factor;
  };
}

function atLeast(what: string, measure: string, least: number, unit: string): Target {
  return { what, least, unit, measure, value: median(measure) };
}

function atMost(what: string, measure: string, most: number, unit: string): Target {
  return { what, most, unit, measure, value: median(measure) };
}

function ask(id: string, few: number, many: number): Target[] {
  return [
    atLeast(`${id}, 4 connections`, `${id}, 4`, few, 'requests/s'),
    atLeast(`${id}, 64 connections`, `${id}, 64`, many, 'requests/s'),
  ];
}

/** The lowest of the five ratios. */
function lowestBeside(figures: Figures): number | undefined {
  const ratios = ['q1', 'q2', 'q3', 'q4', 'q5'].flatMap(
    (id) => figures.median(`${id} beside ingest`, OWN) ?? [],
  );
  return ratios.length > 0 ? Math.min(...ratios) : undefined;
}

function ratioToReference(figures: Figures): number | undefined {
  const own = figures.median('ingest', OWN);
  const reference = figures.median('ingest', REFERENCE) ?? REFERENCE_RECORDED_LINES_PER_SEC;
  return own === undefined ? undefined : own / reference;
}

function statisticsRatio(figures: Figures): number | undefined {
  const statistics = figures.median('q4s, 4', OWN);
  const curves = figures.median('q4, 4', OWN);
  return statistics === undefined || curves === undefined ? undefined : statistics / curves;
}

/** All of them, in the order of a sample's life. */
export const TARGETS: readonly Target[] = [
  atLeast('ingest, 8 connections, log on', 'ingest', 6e6, 'lines/s'),
  {
    what: 'ingest, to that of cc-metric-store with its log',
    least: 20,
    unit: '×',
    value: ratioToReference,
  },
  atMost('samples that are not there', 'samples lost', 0, 'samples'),
  atMost('request of ingest, p50', 'ingest p50', 3, 'ms'),
  atMost('request of ingest, p99', 'ingest p99', 15, 'ms'),
  atLeast('kernel alone, known series', 'kernel, known', 20e6, 'lines/s'),
  atLeast('kernel alone, new series', 'kernel, new', 1e6, 'series/s'),
  atLeast('numbers printed as JSON', 'numbers as JSON', 60e6, 'numbers/s'),
  ...ask('q1', 10_000, 30_000),
  ...ask('q2', 8_000, 10_000),
  ...ask('q3', 3_000, 3_500),
  ...ask('q4', 700, 800),
  ...ask('q5', 3_500, 4_000),
  atLeast('q4 statistics only, 4 connections', 'q4s, 4', 3_000, 'requests/s'),
  { what: 'q4 statistics only, to q4 with data', least: 3, unit: '×', value: statisticsRatio },
  {
    what: 'slowest of q1–q5 beside ingest at half its rate, to alone',
    least: 0.5,
    unit: '×',
    value: lowestBeside,
  },
  atMost('resident memory, 12 h', 'memory', 3.2, 'bytes/sample'),
  atMost('resident memory, 48 h', 'memory of more hours', 2.4, 'bytes/sample'),
  atMost('restart until an answer is right', 'restart', 0.6, 's'),
  atMost('checkpoint of all', 'checkpoint', 1.5, 's'),
  atMost('longest write beside the checkpoint', 'longest write beside it', 50, 'ms'),
  atMost('files a shard and checkpoint', 'files a shard', 2, 'files'),
  atMost('disk', 'disk', 2, 'bytes/sample'),
];

/** Judges all targets; those of hours need so many hours. */
export function judge(
  figures: Figures,
  { hours, memoryHours, scale }: { hours: number; memoryHours: number; scale: number },
): Verdict[] {
  return TARGETS.map((target) => {
    const value = target.value(figures);
    const notes: string[] = [];
    if (value === undefined) notes.push('not measured in this run');
    if (scale !== 1) notes.push('of few hosts');
    if (target.measure === 'memory' && hours !== 12) notes.push(`of ${hours} h`);
    if (target.measure === 'memory of more hours' && memoryHours !== 48) {
      notes.push(`of ${memoryHours} h`);
    }
    if (target.value === ratioToReference && figures.median('ingest', REFERENCE) === undefined) {
      notes.push(`to ${REFERENCE_RECORDED_LINES_PER_SEC} lines/s, recorded in another run`);
    }
    return { target, value, isMet: isMet(target, value), note: notes.join('; ') };
  });
}

function isMet({ least, most }: Target, value: number | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  return value >= (least ?? -Infinity) && value <= (most ?? Infinity);
}
