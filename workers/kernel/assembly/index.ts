// The kernel's exports, by subject. Memory layout: ../layout.ts.
export { kernelVersion } from './version';
export { heapBytesLive, heapPagesInUse, memoryLow, setPageBudget } from './alloc';
export {
  appendSample,
  createSeries,
  decimalExponent,
  freeBefore,
  freeableUntil,
  markDead,
  oldestSlot,
  readSeries,
  releaseSeries,
  sealIdleHead,
  seriesBytes,
  setCheckpoint,
  setSettledBefore,
} from './series';
export {
  bindConverted,
  bindPrefix,
  dropDeadPrefixes,
  dropStalePrefixes,
  prefixBucketMask,
  prefixBuckets,
  prefixCount,
  prefixEvictions,
  setPrefixesMax,
} from './prefixes';
export { ingest, initShard } from './ingest';
export { setTimeRange } from './sample';
export { firstSpace } from './scan';
export { takeNewSeries } from './new-series';
export { rememberTags } from './tags';
export { beginLog, endLog, logRecord, pauseLog, resumeLog, stopLog } from './log';
export { saveBlocks, saveSeries, settleBlocks } from './save';
export {
  checkLevel,
  replayRecords,
  restoreBlocks,
  restoreLevel,
  setRestoreTables,
} from './restore';
export { checksum } from './checksum';
export { nextRun } from './route';
export { blockBytes } from './block-fields';
export { decodeBlock, decodeBlockRange } from './decode';
export { encodeBlock } from './encode';
export { savedBytes, unpackBlock } from './short-block';
export { formatElement, formatResults, formatSeries, formatStatistics } from './answer';
export { statistics } from './statistics';
export { seriesStatistics, summarizeSeries, summarizeValues } from './summary';
export { addToSketch, copyPresent, selectRank } from './percentiles';
export { formatDecimals, formatResampled } from './answer-resampled';
export { formatArray, formatNumber, formatScaled, formatScaledInts } from './format';
export { lttb } from './resample-lttb';
export { resample, resampleStride } from './resample';
export { formatRows } from './csv';
export { presentBits } from './validity';
export { convertValues } from './convert';
export {
  divideByCount,
  maxSeries,
  minSeries,
  scaleValues,
  sumSeries,
} from './aggregate';
export { formatRows } from './csv';
export { presentBits } from './validity';
