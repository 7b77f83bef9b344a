import { tableFromIPC } from 'apache-arrow';
import type { Take } from './checker.js';

const MS_A_SECOND = 1000;

/** Reads an answer in Arrow with the reader of the Arrow project: a row a series, the points as a list. */
export function readArrow(bytes: Uint8Array, take: Take): void {
  for (const row of tableFromIPC(bytes)) {
    const { metric, id, start, step, values } = row!.toJSON();
    // The reader gives seconds as milliseconds.
    const fromSec = Number(start) / MS_A_SECOND;
    const data = values ? [...(values as Iterable<number | null>)] : [];
    data.forEach((value, i) => {
      take(String(metric), String(id ?? ''), fromSec + i * Number(step), value);
    });
  }
}
