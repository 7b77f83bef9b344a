/** A measure of a point, as the tables and charts name it. */
export interface Measure {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
}

/** In the order of the tables. Those that a point lacks are left out. */
export const MEASURES: readonly Measure[] = [
  { key: 'ingestLinesPerSec', title: 'ingest', unit: 'lines/s' },
  { key: 'ingestP50Ms', title: 'a write, p50', unit: 'ms' },
  { key: 'ingestP99Ms', title: 'a write, p99', unit: 'ms' },
  { key: 'storeUsPerLine', title: 'CPU of a line', unit: 'µs' },
  { key: 'frontUsPerLine', title: 'of that the front', unit: 'µs' },
  { key: 'shardsUsPerLine', title: 'of that shards', unit: 'µs' },
  { key: 'othersUsPerLine', title: 'of that other threads', unit: 'µs' },
  { key: 'newSeriesPerSec', title: 'new series', unit: 'series/s' },
  { key: 'newSeriesUs', title: 'CPU of a new series', unit: 'µs' },
  { key: 'emptyBytes', title: 'memory of the empty store', unit: 'bytes' },
  { key: 'rssBytes', title: 'resident memory', unit: 'bytes' },
  { key: 'rssBytesPerSeries', title: 'memory above the empty store, by series', unit: 'bytes' },
  { key: 'rssBytesPerSample', title: 'memory above the empty store, by sample', unit: 'bytes' },
  { key: 'heapBytesPerSeries', title: 'shards’ heap in use, by series', unit: 'bytes' },
  { key: 'logBytesPerSample', title: 'log, by sample', unit: 'bytes' },
  { key: 'q1PerSec', title: 'q1, one series', unit: 'requests/s' },
  { key: 'q1Us', title: 'CPU of q1', unit: 'µs' },
  { key: 'q1FrontUs', title: 'of that the front', unit: 'µs' },
  { key: 'q2PerSec', title: 'q2, sum of a host’s threads', unit: 'requests/s' },
  { key: 'q2Us', title: 'CPU of q2', unit: 'µs' },
  { key: 'q2FrontUs', title: 'of that the front', unit: 'µs' },
  { key: 'q3PerSec', title: 'q3, three metrics of all hosts', unit: 'requests/s' },
  { key: 'q3Us', title: 'CPU of q3', unit: 'µs' },
  { key: 'q3FrontUs', title: 'of that the front', unit: 'µs' },
  { key: 'q4StatsPerSec', title: 'q4, statistics of a job', unit: 'requests/s' },
  { key: 'q4StatsUs', title: 'CPU of q4', unit: 'µs' },
  { key: 'q4StatsFrontUs', title: 'of that the front', unit: 'µs' },
  { key: 'q4AllUsPerSeries', title: 'statistics over all there is, CPU by series', unit: 'µs' },
  { key: 'checkpointSec', title: 'checkpoint', unit: 's' },
  { key: 'checkpointShardSec', title: 'CPU of shards in it', unit: 's' },
  { key: 'checkpointLongestTurnMs', title: 'longest turn of it', unit: 'ms' },
  { key: 'diskBytesPerSeries', title: 'checkpoint on disk, by series', unit: 'bytes' },
  { key: 'restartSec', title: 'restart from the checkpoint', unit: 's' },
  { key: 'restartShardSec', title: 'CPU of shards in it', unit: 's' },
  { key: 'replayUsPerLine', title: 'CPU of a line read from the log', unit: 'µs' },
];

/** Curves of one chart. */
export interface ChartKind {
  readonly title: string;
  readonly unit: string;
  readonly keys: readonly string[];
}

/** For each axis, where its points have the measures. */
export const CHARTS: readonly ChartKind[] = [
  {
    title: 'CPU of a line',
    unit: 'µs',
    keys: ['storeUsPerLine', 'frontUsPerLine', 'shardsUsPerLine', 'othersUsPerLine'],
  },
  { title: 'CPU of a query', unit: 'µs', keys: ['q1Us', 'q2Us', 'q3Us', 'q4StatsUs'] },
  { title: 'Checkpoint and restart', unit: 's', keys: ['checkpointSec', 'restartSec'] },
];
