import { sleep, type Destination } from '../destinations/destination.js';
import { LineWriter } from './line-writer.js';
import type { MadeUpData } from './made-up-data.js';

export interface SendOptions {
  readonly fromSec: number;
  readonly untilSec: number;
  /** Lines that go together, at least; what a host sends at a time is not cut. */
  readonly batchLines: number;
  /** Lines a second; 0 = as fast as they are taken. */
  readonly rate: number;
}

/** Sends all of a range of time; resolves to how many of the lines can not be read. */
export async function sendRange(
  data: MadeUpData,
  destination: Destination,
  { fromSec, untilSec, batchLines, rate }: SendOptions,
): Promise<number> {
  const writer = new LineWriter();
  const began = performance.now();
  let sent = 0;
  const flush = async (): Promise<void> => {
    if (rate > 0) await sleep(Math.max(0, began + (1000 * sent) / rate - performance.now()));
    await destination.send(writer.bytes, writer.lineCount);
    sent += writer.lineCount;
    writer.clear();
  };
  for (const [host, batch] of data.batches(fromSec, untilSec)) {
    writer.write(host, batch);
    if (writer.lineCount >= batchLines) await flush();
  }
  if (writer.lineCount > 0) await flush();
  return writer.badCount;
}
