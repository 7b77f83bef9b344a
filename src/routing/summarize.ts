import type { LineMap } from './line-map.js';
import type { PartResult } from './part-ring.js';
import type { RejectedLine, WriteSummary } from './store.js';

/** Rejected lines named in an answer. */
const EXAMPLES_MAX = 10;

/** A part's result by the body's lines, so that the order of parts does not matter. */
export function inBody(result: PartResult, lineMap: LineMap): PartResult {
  return { ...result, lines: 0, first: lineMap.toBody(result.first) };
}

/** Results of a body's parts as one; a part's lines follow those of the parts before it. */
export function summarize(results: readonly PartResult[]): WriteSummary {
  let written = 0;
  let ignored = 0;
  let rejected = 0;
  let noRoom = 0;
  let linesBefore = 0;
  const first: RejectedLine[] = [];
  for (const result of results) {
    written += result.written;
    ignored += result.ignored;
    rejected += result.rejected;
    noRoom += result.noRoom ?? 0;
    for (const example of result.first) {
      first.push({ ...example, line: example.line + linesBefore });
    }
    linesBefore += result.lines;
  }
  first.sort((a, b) => a.line - b.line);
  const summary = { written, ignored, rejected, first: first.slice(0, EXAMPLES_MAX) };
  return noRoom > 0 ? { ...summary, noRoom } : summary;
}
