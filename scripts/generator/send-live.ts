import { setTimeout as delay } from 'node:timers/promises';
import type { Destination } from '../destinations/destination.js';
import { Batch } from './batch.js';
import { LineWriter } from './line-writer.js';
import type { MadeUpData } from './made-up-data.js';
import type { MadeUpHost } from './made-up-host.js';

export interface LiveOptions {
  /** What is sent first, as fast as it is taken. */
  readonly historySec: number;
  readonly batchLines: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told when the past is sent. */
  readonly onPresent: () => void;
}

/**
 * Sends the past, then what each host sends when its time comes, until it is told to end; resolves to
 * how many of the lines can not be read. One that was held up catches up.
 */
export async function sendLive(
  data: MadeUpData,
  destination: Destination,
  { historySec, batchLines, signal, onPresent }: LiveOptions,
): Promise<number> {
  const writer = new LineWriter();
  const batch = new Batch();
  const byAhead = hostsByAhead(data);
  const send = async (): Promise<void> => {
    if (writer.lineCount > 0) await destination.send(writer.bytes, writer.lineCount);
    writer.clear();
  };
  let isPresent = false;
  const beganSec = Math.floor(Date.now() / 1000);
  for (let timeSec = beganSec - historySec; !signal.aborted; timeSec++) {
    const waitMs = timeSec * 1000 - Date.now();
    if (waitMs > 0) {
      await send();
      if (!isPresent) onPresent();
      isPresent = true;
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
    }
    for (const [aheadSec, hosts] of byAhead) {
      const tickSec = timeSec - aheadSec;
      if (!data.isTick(tickSec)) continue;
      for (const host of hosts) {
        batch.clear();
        host.send(tickSec, batch);
        writer.write(host, batch);
        if (writer.lineCount >= batchLines) await send();
        if (signal.aborted) break;
      }
    }
  }
  return writer.badCount;
}

function hostsByAhead({ hosts }: MadeUpData): Map<number, MadeUpHost[]> {
  const byAhead = new Map<number, MadeUpHost[]>();
  for (const host of hosts) {
    const list = byAhead.get(host.aheadSec);
    if (list) list.push(host);
    else byAhead.set(host.aheadSec, [host]);
  }
  return byAhead;
}
