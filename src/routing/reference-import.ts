import { findHosts, type FoundHost } from '../migration/checkpoint-directory.js';
import { problemText } from '../migration/column.js';
import { ImportMarker } from '../migration/import-marker.js';
import type { Logger } from '../model/logger.js';
import type { ImportSummary } from '../protocol/messages.js';

/** Told one by one; the others are counted. */
const PROBLEMS_MAX = 100;

/**
 * The import of what cc-metric-store has left in the data folder, at the start: which hosts there are,
 * and what it came to. Its files are only read.
 */
export class ReferenceImport {
  /** Hosts that are still to be imported. */
  hosts: readonly FoundHost[];
  readonly #marker: ImportMarker;
  readonly #log: Logger;
  readonly #began = performance.now();
  #problems = 0;

  /** Throws if the folder can not be read. */
  constructor(directory: string, log: Logger) {
    this.#log = log;
    this.#marker = new ImportMarker(directory);
    if (this.#marker.damage !== '') {
      log.warn({}, `${this.#marker.damage}; all folders of cc-metric-store are imported again`);
    }
    this.hosts = findHosts(
      directory,
      (problem) => this.#tell(problemText(problem)),
      (cluster, host, stamp) => this.#marker.has(cluster, host, stamp),
    );
    if (this.hosts.length === 0) return;
    log.info({ hosts: this.hosts.length }, `importing files of cc-metric-store in ${directory}`);
  }

  /** All of it is in checkpoints, and is not imported again: tells what it came to. */
  done(summaries: readonly ImportSummary[]): void {
    if (this.hosts.length === 0) return;
    try {
      this.#marker.add(this.hosts);
    } catch (error) {
      const text = 'that files were imported could not be noted, the next start does it again';
      this.#log.error({ error: (error as Error).message }, text);
    }
    const sum = (of: (summary: ImportSummary) => number): number =>
      summaries.reduce((total, summary) => total + of(summary), 0);
    const samples = sum((summary) => summary.samples);
    const milliseconds = Math.round(performance.now() - this.#began);
    this.#log.info(
      {
        hosts: this.hosts.length,
        files: sum(({ files }) => files),
        bytes: sum(({ bytes }) => bytes),
        samples,
        outsideRetention: sum(({ outsideRetention }) => outsideRetention),
        milliseconds,
        rate: `${Math.round((samples / Math.max(1, milliseconds)) * 1000)} samples/s`,
      },
      'imported',
    );
    this.#tellLosses(summaries, sum);
    this.hosts = [];
  }

  #tellLosses(
    summaries: readonly ImportSummary[],
    sum: (of: (summary: ImportSummary) => number) => number,
  ): void {
    for (const [metric, samples] of byMetric(summaries.map((each) => each.unknownMetrics))) {
      this.#log.warn({ samples }, `import: metric ${metric} is not configured, it is left out`);
    }
    for (const [metric, samples] of byMetric(summaries.map((each) => each.refusedMetrics))) {
      this.#log.warn({ samples }, `import: series-max is reached, not all of metric ${metric}`);
    }
    const notFinite = sum((summary) => summary.notFinite);
    if (notFinite > 0) this.#log.warn({}, `import: ${notFinite} values are not finite, left out`);
    const noRoom = sum((summary) => summary.noRoom);
    if (noRoom > 0) this.#log.warn({}, `import: memory-cap is reached, ${noRoom} samples left out`);
    const evicted = sum((summary) => summary.evictedBlocks);
    if (evicted > 0) {
      const text = `import: memory-cap is reached, ${evicted} blocks of the oldest samples went again`;
      this.#log.warn({}, text);
    }
    for (const { problems, problemCount } of summaries) {
      for (const problem of problems) this.#tell(problem);
      this.#problems += problemCount - problems.length;
    }
    const more = this.#problems - PROBLEMS_MAX;
    if (more > 0) this.#log.warn({}, `import: ${more} problems more`);
  }

  #tell(problem: string): void {
    if (++this.#problems <= PROBLEMS_MAX) this.#log.warn({}, `import: ${problem}`);
  }
}

function byMetric(counts: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const [metric, samples] of counts.flatMap((each) => Object.entries(each))) {
    total.set(metric, (total.get(metric) ?? 0) + samples);
  }
  return total;
}
