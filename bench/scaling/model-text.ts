import { short } from '../report/svg-chart.js';
import { markdownTable } from '../report/markdown-table.js';
import type { Coefficients } from './coefficients.js';
import { boundsOf, modelOf, type Site, type SiteModel } from './model.js';
import { bytesPerLine, linesPerHost } from './workload.js';

export const MODEL_START = '<!-- model: npm run bench -- scaling --model -->';
export const MODEL_END = '<!-- end of the model -->';

/** The workload's lines are as long as those of collectors. */
const SHAPE = { hosts: 1, threads: 97, batchLines: 0 };

/** 10,000 nodes of 1,000 series each, on one large machine. */
const SITE: Omit<Site, 'stepSec'> = {
  nodes: 10_000,
  seriesPerNode: linesPerHost(SHAPE),
  retentionHours: 48,
  checkpointSec: 600,
  statisticsSec: 600,
  jobHours: 12,
  bytesPerLine: bytesPerLine(SHAPE),
  cores: 64,
  machineBytes: 512 * 2 ** 30,
};
const STEPS_SEC = [10, 30, 60];

/** Unit, and digits or power behind a number. */
type Kind = 'count' | 'bytes' | 'bytes/s' | 'cores' | 's';

const ROWS: readonly [keyof SiteModel, string, Kind][] = [
  ['linesPerSec', 'lines a second', 'count'],
  ['bodiesPerSec', 'bodies a second', 'count'],
  ['wireBytesPerSec', 'on the wire', 'bytes/s'],
  ['frontCores', 'front', 'cores'],
  ['shardCores', 'shards, ingest', 'cores'],
  ['othersCores', 'garbage collection and the like', 'cores'],
  ['statisticsCores', 'shards, statistics of all jobs', 'cores'],
  ['checkpointCores', 'shards, checkpoints', 'cores'],
  ['samples', 'samples in memory', 'count'],
  ['memoryBytes', 'memory', 'bytes'],
  ['shardsForMemory', 'shards for memory', 'count'],
  ['shardsForPrefixes', 'shards for prefixes', 'count'],
  ['shardsForCpu', 'shards for ingest', 'count'],
  ['shards', '**shards**', 'count'],
  ['logBytesPerSec', 'log', 'bytes/s'],
  ['checkpointBytes', 'a checkpoint', 'bytes'],
  ['checkpointBytesPerSec', 'checkpoints and merging', 'bytes/s'],
  ['diskBytes', 'on disk', 'bytes'],
  ['restartCoreSec', 'restart, work of one core', 's'],
  ['restartWorkSec', 'restart, work of all', 's'],
  ['restartReadSec', 'restart, reading the disk', 's'],
  ['restartSec', '**restart**', 's'],
  ['firstRoundSec', 'first interval of an empty store', 's'],
  ['queriesPerSec', 'q1 a second in what is left of the front', 'count'],
];

/** Names of the coefficients in the formulas of MODEL.md, and their units. */
const COEFFICIENTS: readonly [keyof Coefficients, string, string][] = [
  ['frontUsPerRequest', 'F_request', 'µs'],
  ['frontUsPerLine', 'F_line', 'µs'],
  ['frontCutUsPerLine', 'F_cut', 'µs'],
  ['shardUsPerRequest', 'S_request', 'µs'],
  ['shardUsPerLine', 'S_line', 'µs'],
  ['othersUsPerLine', 'O_line', 'µs'],
  ['newSeriesUs', 'S_new', 'µs'],
  ['emptyBytes', 'M_empty', 'bytes'],
  ['bytesPerShard', 'M_shard', 'bytes'],
  ['bytesPerSeries', 'M_series', 'bytes'],
  ['bytesPerSample', 'M_sample', 'bytes'],
  ['logBytesPerSample', 'L_sample', 'bytes'],
  ['stateBytesPerSeries', 'D_series', 'bytes'],
  ['segmentBytesPerSample', 'D_sample', 'bytes'],
  ['checkpointUsPerSeries', 'C_series', 'µs'],
  ['checkpointUsPerSample', 'C_sample', 'µs'],
  ['restartUsPerSeries', 'R_series', 'µs'],
  ['restartUsPerSample', 'R_sample', 'µs'],
  ['replayUsPerLine', 'R_line', 'µs'],
  ['statisticsUsPerSeries', 'Q_series', 'µs'],
  ['statisticsUsPerSample', 'Q_sample', 'µs'],
  ['queryUs', 'Q_one', 'µs'],
];

/** The tables of MODEL.md. `measuredOn` tells where the coefficients are from. */
export function modelText(cost: Coefficients, measuredOn: string): string {
  const sites = STEPS_SEC.map((stepSec) => ({ ...SITE, stepSec }));
  const models = sites.map((site) => modelOf(site, cost));
  const steps = STEPS_SEC.map((stepSec) => `${stepSec} s`);
  const rows = ROWS.map(([key, title, kind]) => [
    title,
    ...models.map((model) => figure(model[key], kind)),
  ]);
  const bounds = sites.map((site, i) => boundsOf(site, models[i]!));
  const boundRows = bounds
    .at(0)!
    .map(({ what }) => [
      what,
      ...bounds.map((list) => percent(list.find((bound) => bound.what === what)!.share)),
    ]);
  const nearest = bounds.map((list, i) => `at ${steps[i]} ${list[0]!.what}`).join(', ');
  return [
    `Coefficients, measured on: ${measuredOn}.`,
    markdownTable(
      ['name', 'value', ''],
      COEFFICIENTS.map(([key, name, unit]) => [`\`${name}\``, digits(cost[key]), unit]),
    ),
    `The site, with a sample of each series each 10, 30 or 60 s.`,
    markdownTable(['', ...steps], rows),
    `How much of each bound that is.`,
    markdownTable(['bound', ...steps], boundRows),
    `Nearest: ${nearest}.`,
  ].join('\n\n');
}

/** `document` with what is between the markers replaced. */
export function withModel(document: string, text: string): string {
  const start = document.indexOf(MODEL_START);
  const end = document.indexOf(MODEL_END);
  if (start < 0 || end < start) {
    throw new Error(`MODEL.md lacks the lines "${MODEL_START}" and "${MODEL_END}"`);
  }
  return `${document.slice(0, start)}${MODEL_START}\n\n${text}\n\n${document.slice(end)}`;
}

function figure(value: number, kind: Kind): string {
  if (kind === 'count') return short(value);
  if (kind === 'cores' || kind === 's') return `${digits(value)} ${kind}`;
  const perSec = kind === 'bytes/s' ? '/s' : '';
  return `${short(value).replace(/ ?([kMG]?)$/, ' $1')}B${perSec}`;
}

function digits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}

function percent(share: number): string {
  return `${digits(share * 100)} %`;
}
