import { createHash, randomBytes } from 'node:crypto';
import { changesBetween, freesSince, SETTLED_AFTER_SEC } from '../protocol/changes.js';
import type { ShardClient } from './shard-client.js';
import type { TimeSpan } from './store.js';

/** Shards settle a time once a second; this is more than they are late with it. */
const MARGIN_SEC = 30;
/** A sample may be shown so many steps away from its time. */
const SLOT_ERROR = 2;

/** Tells when answers about the past have changed. */
export class DataVersions {
  readonly #shards: readonly ShardClient[];
  /** What was counted in another process says nothing here. */
  readonly #epoch = randomBytes(8).toString('hex');

  #slotErrorSec: number;
  /** Of the configuration: another one may answer otherwise. */
  #configuration = 0;

  /** `stepMaxSec`: the longest step of a metric. */
  constructor(shards: readonly ShardClient[], stepMaxSec: number) {
    this.#shards = shards;
    this.#slotErrorSec = SLOT_ERROR * stepMaxSec;
  }

  /** No tag of before is of an answer of today. */
  reconfigured(stepMaxSec: number): void {
    this.#configuration++;
    this.#slotErrorSec = SLOT_ERROR * stepMaxSec;
  }

  /** A weak entity tag, since one answer has several encodings; undefined: it may change without notice. */
  of(ranges: readonly TimeSpan[], text: string): string | undefined {
    const settledSec = Date.now() / 1000 - SETTLED_AFTER_SEC - MARGIN_SEC - this.#slotErrorSec;
    if (ranges.some(({ toSec }) => toSec > settledSec)) return undefined;
    const hash = createHash('sha1').update(`${this.#epoch}${this.#configuration} `).update(text);
    const fromSec = Math.min(...ranges.map((range) => range.fromSec)) - this.#slotErrorSec;
    const toSec = Math.max(...ranges.map((range) => range.toSec)) + this.#slotErrorSec;
    for (const { ready, generation, memory } of this.#shards) {
      if (!ready) return undefined;
      const words = new Uint32Array(memory.buffer);
      const changes = changesBetween(words, Math.max(0, fromSec), toSec);
      hash.update(`${generation} ${changes} ${freesSince(words, fromSec)} `);
    }
    return `W/"${hash.digest('base64url')}"`;
  }
}
