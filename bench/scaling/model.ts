import type { Coefficients } from './coefficients.js';

/** A site on paper. */
export interface Site {
  readonly nodes: number;
  readonly seriesPerNode: number;
  readonly stepSec: number;
  readonly retentionHours: number;
  readonly checkpointSec: number;
  /** Statistics of all jobs are asked for so often, and go over so much time. */
  readonly statisticsSec: number;
  readonly jobHours: number;
  readonly bytesPerLine: number;
  /** Cores and memory of the machine. */
  readonly cores: number;
  readonly machineBytes: number;
}

/** What it would take; bytes, seconds, and cores that are busy. */
export interface SiteModel {
  readonly linesPerSec: number;
  readonly bodiesPerSec: number;
  readonly wireBytesPerSec: number;
  readonly frontCores: number;
  readonly shardCores: number;
  readonly othersCores: number;
  readonly statisticsCores: number;
  readonly checkpointCores: number;
  readonly series: number;
  readonly samples: number;
  readonly memoryBytes: number;
  readonly shardsForMemory: number;
  readonly shardsForPrefixes: number;
  readonly shardsForCpu: number;
  readonly shards: number;
  readonly logBytesPerSec: number;
  readonly checkpointBytes: number;
  /** Of checkpoints, and of merging their segments. */
  readonly checkpointBytesPerSec: number;
  readonly diskBytes: number;
  readonly restartCoreSec: number;
  /** That on as many cores as there are, at most one a shard. */
  readonly restartWorkSec: number;
  readonly restartReadSec: number;
  /** The longer of both. */
  readonly restartSec: number;
  /** When nothing is known of any series: an empty store, and the first interval. */
  readonly firstRoundSec: number;
  /** Queries of one series that what is left of the front's core would answer. */
  readonly queriesPerSec: number;
}

/** A bound of the store or the machine, and how much of it is in use. */
export interface Bound {
  readonly what: string;
  readonly share: number;
}

/** WebAssembly's bound of one memory. */
const SHARD_BYTES = 4 * 2 ** 30;
/** Hosts are spread by a hash: the fullest shard has some more than the others. */
const SHARD_FULL = 0.8;
/** Default of `prefixes-max`. */
const PREFIXES_MAX = 1_000_000;
/** A shard that ingests half of the time has the other half for queries. */
const SHARD_BUSY = 0.5;
const SHARDS_MAX = 256;
const CONNECTIONS_MAX = 20_000;
const NETWORK_BYTES_PER_SEC = 1.25e9;
const DISK_BYTES_PER_SEC = 1e9;
const HEAD_BYTES = 150;
/** Segments are merged when so many of about one size have come together. */
const MERGED_SEGMENTS = 8;
const US = 1e6;

/** Every number from the coefficients; MODEL.md has the formulas. */
export function modelOf(site: Site, cost: Coefficients): SiteModel {
  const series = site.nodes * site.seriesPerNode;
  const linesPerSec = series / site.stepSec;
  const bodiesPerSec = site.nodes / site.stepSec;
  const samples = linesPerSec * site.retentionHours * 3600;
  const heldBytes = series * cost.bytesPerSeries + samples * cost.bytesPerSample;
  const shardCores =
    (bodiesPerSec * cost.shardUsPerRequest + linesPerSec * cost.shardUsPerLine) / US;
  const shardsForMemory = Math.ceil(heldBytes / (SHARD_BYTES * SHARD_FULL));
  const shardsForPrefixes = Math.ceil(series / (PREFIXES_MAX * SHARD_FULL));
  const shardsForCpu = Math.ceil(shardCores / SHARD_BUSY);
  const shards = Math.max(shardsForMemory, shardsForPrefixes, shardsForCpu);
  const frontUsPerLine = cost.frontUsPerLine + cost.frontCutUsPerLine;
  const frontCores = (bodiesPerSec * cost.frontUsPerRequest + linesPerSec * frontUsPerLine) / US;
  const newSamples = linesPerSec * site.checkpointSec;
  const intervals = (site.retentionHours * 3600) / site.checkpointSec;
  const merges = Math.log(intervals) / Math.log(MERGED_SEGMENTS);
  const segmentBytes = newSamples * cost.segmentBytesPerSample;
  const stateBytes = series * cost.stateBytesPerSeries;
  const diskBytes = stateBytes + samples * cost.segmentBytesPerSample;
  const jobSamples = (site.jobHours * 3600) / site.stepSec;
  const statisticsUs = cost.statisticsUsPerSeries + jobSamples * cost.statisticsUsPerSample;
  const checkpointUs =
    series * cost.checkpointUsPerSeries + newSamples * cost.checkpointUsPerSample;
  // At a moment that nobody chose, half an interval is in the log only.
  const replayedUs = (newSamples / 2) * cost.replayUsPerLine;
  const restoredUs = series * cost.restartUsPerSeries + samples * cost.restartUsPerSample;
  const restartCoreSec = (restoredUs + replayedUs) / US;
  const parallel = Math.min(shards, site.cores);
  const restartWorkSec = restartCoreSec / parallel;
  const restartReadSec = diskBytes / DISK_BYTES_PER_SEC;
  return {
    linesPerSec,
    bodiesPerSec,
    wireBytesPerSec: linesPerSec * site.bytesPerLine + bodiesPerSec * HEAD_BYTES,
    frontCores,
    shardCores,
    othersCores: (linesPerSec * cost.othersUsPerLine) / US,
    statisticsCores: (series * statisticsUs) / site.statisticsSec / US,
    checkpointCores: checkpointUs / site.checkpointSec / US,
    series,
    samples,
    memoryBytes: cost.emptyBytes + shards * cost.bytesPerShard + heldBytes,
    shardsForMemory,
    shardsForPrefixes,
    shardsForCpu,
    shards,
    logBytesPerSec: linesPerSec * cost.logBytesPerSample,
    checkpointBytes: stateBytes + segmentBytes,
    checkpointBytesPerSec: (stateBytes + segmentBytes * (1 + merges)) / site.checkpointSec,
    diskBytes,
    restartCoreSec,
    restartWorkSec,
    restartReadSec,
    restartSec: Math.max(restartWorkSec, restartReadSec),
    firstRoundSec: (series * cost.newSeriesUs) / US / parallel,
    queriesPerSec: (Math.max(0, 1 - frontCores) * US) / cost.queryUs,
  };
}

/** How near each bound is, nearest first: what breaks first when the site grows. */
export function boundsOf(site: Site, model: SiteModel): Bound[] {
  const shardCores = model.shardCores + model.statisticsCores + model.checkpointCores;
  const bounds: Bound[] = [
    { what: 'the front’s thread', share: model.frontCores },
    { what: 'shards that a store can have', share: model.shards / SHARDS_MAX },
    { what: 'memory of the machine', share: model.memoryBytes / site.machineBytes },
    {
      what: 'cores of the machine',
      share: (model.frontCores + model.othersCores + shardCores) / site.cores,
    },
    { what: '`connections-max`, a connection a node', share: site.nodes / CONNECTIONS_MAX },
    { what: '10 Gbit/s of network', share: model.wireBytesPerSec / NETWORK_BYTES_PER_SEC },
    {
      what: '1 GB/s of disk',
      share: (model.logBytesPerSec + model.checkpointBytesPerSec) / DISK_BYTES_PER_SEC,
    },
  ];
  return bounds.sort((a, b) => b.share - a.share);
}
