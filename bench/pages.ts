import { closedLoop, postRequest, type LoopResult } from './client.js';
import { duringLoad, type LoadResult } from './load.js';
import type { Loaded } from './select.js';
import { aggregateRequest } from './select-requests.js';
import { loopRow, type Row } from './table.js';
import { PART_METRICS } from './workload.js';

/** Open pages, each with one request under way, without a pause between. */
export const PAGES = 20;

const HOUR_SEC = 3600;

/** Does `work` beside clients that ask with low priority for an hour of metrics over all hosts. */
export async function besidePages<Value>(
  { plan, server, task }: Pick<Loaded, 'plan' | 'server' | 'task'>,
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly pages: LoopResult }> {
  const toSec = task.startSec + Math.round((plan.hours * 3600) / task.stepSec) * task.stepSec;
  const requests = PART_METRICS.map((metric) =>
    postRequest(
      '/api/v2/query?priority=low',
      JSON.stringify(aggregateRequest(metric, toSec - HOUR_SEC, toSec)),
    ),
  );
  let isOver = false;
  let count = 0;
  const pages = closedLoop(server.port, PAGES, () =>
    isOver ? undefined : { bytes: requests[count++ % requests.length]! },
  );
  let value: Value;
  try {
    value = await Promise.race([work(), pages.then(neverEnds)]);
  } finally {
    isOver = true;
  }
  return { value, pages: await pages };
}

function neverEnds(): never {
  throw new Error('the pages ended before the work that they were to accompany');
}

/** What open pages cost ingest, which goes as fast as it can. */
export async function timeIngestBesidePages(
  loaded: Loaded,
): Promise<{ readonly rows: Row[]; readonly endRound: number }> {
  const { plan } = loaded;
  let { firstRound } = loaded.task;
  const pause = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, (plan.ingestSec / 4) * 1000));
  const during = async <Value>(work: () => Promise<Value>): Promise<[Value, LoadResult]> => {
    const { value, load } = await duringLoad({ ...loaded.task, firstRound, linesPerSec: 0 }, work);
    firstRound = load.endRound;
    return [value, load];
  };
  const [, alone] = await during(pause);
  const [{ pages }, beside] = await during(() => besidePages(loaded, pause));
  // Once more alone: the machine changes its mind.
  const [, again] = await during(pause);
  const aloneRate = (alone.linesPerSec + again.linesPerSec) / 2;
  const rows = [
    loopRow('ingest, alone', alone, alone.lines, 'lines'),
    {
      ...loopRow(`  beside ${PAGES} pages`, beside, beside.lines, 'lines'),
      ratio: beside.linesPerSec / aloneRate,
      ratioTo: 'the rate alone',
    },
    loopRow('  answers to the pages', pages, pages.requests, 'requests'),
  ];
  return { rows, endRound: firstRound };
}
