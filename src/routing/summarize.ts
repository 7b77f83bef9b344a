import type { PartResult } from './shard-client.js';
import type { RejectedLine, WriteSummary } from './store.js';

/** Rejected lines named in an answer. */
const EXAMPLES_MAX = 10;

/** Results of a body's parts, in the order of the parts, as one. */
export function summarize(results: readonly PartResult[]): WriteSummary {
  let written = 0;
  let ignored = 0;
  let rejected = 0;
  let linesBefore = 0;
  const first: RejectedLine[] = [];
  for (const result of results) {
    written += result.written;
    ignored += result.ignored;
    rejected += result.rejected;
    for (const example of result.first) {
      if (first.length < EXAMPLES_MAX) first.push({ ...example, line: example.line + linesBefore });
    }
    linesBefore += result.lines;
  }
  return { written, ignored, rejected, first };
}
