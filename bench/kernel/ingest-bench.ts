import { DEFAULTS } from '../../src/config/config.js';
import { Counters } from '../../src/protocol/counters.js';
import { Ring } from '../../src/protocol/ring.js';
import { Engine } from '../../workers/engine/engine.js';
import { LineUnits } from '../../workers/ingest/line-units.js';
import { PartReader } from '../../workers/ingest/part-reader.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ARENA_BASE,
  PART_BODY,
  PART_BYTES,
  PART_CLUSTER_BYTES,
  PART_PRECISION,
  PART_REJECTED,
  PART_WRITTEN,
  PRECISION_AUTO,
} from '../../workers/kernel/layout.js';
import { Retention } from '../../workers/retention.js';
import { makeBatches, stampBatch, type Batch } from '../workload.js';

/**
 * What one shard's thread does with lines, without HTTP and other threads: registering series
 * never seen, then taking samples of known ones, sealing included. Stamping the bodies and copying
 * them in is not timed.
 */
const STEP_SEC = 60;
/** Two windows of 128 slots, so that each step of a block's growth counts as often as in long runs. */
const ROUNDS = 256;
const REGISTERED_SERIES_MIN = 1_000_000;

interface Bench {
  readonly read: (body: Buffer) => number;
  readonly heapBytesLive: () => number;
}

/** A shard's reader without its thread; `read` returns the milliseconds it took. */
function makeBench(): Bench {
  const memory = createShardMemory();
  const kernel = instantiateKernel(memory);
  kernel.initShard(2_000_000);
  const { store, limits } = DEFAULTS;
  const counters = new Counters(memory);
  const engine = new Engine(kernel, memory, store, limits);
  const retention = new Retention(kernel, engine, store, counters);
  retention.tick(Math.floor(Date.now() / 1000));
  const ring = new Ring(memory);
  const reader = new PartReader({
    memory,
    kernel,
    engine,
    retention,
    ring,
    counters,
    limits,
    shardCount: 1,
    durability: undefined,
    units: new LineUnits({ memory, store, rowsMax: limits.unitMismatchesMax, warn: () => {} }),
  });
  const bytes = Buffer.from(memory.buffer);
  const read = (body: Buffer): number => {
    body.copy(bytes, ARENA_BASE);
    ring.set(0, PART_BODY, ARENA_BASE);
    ring.set(0, PART_BYTES, body.length);
    ring.set(0, PART_CLUSTER_BYTES, 0);
    ring.set(0, PART_PRECISION, PRECISION_AUTO);
    const began = performance.now();
    reader.read(0, () => false);
    const took = performance.now() - began;
    if (ring.get(0, PART_REJECTED) > 0) throw new Error('lines were rejected');
    if (ring.get(0, PART_WRITTEN) === 0) throw new Error('no line was taken');
    return took;
  };
  return { read, heapBytesLive: () => kernel.heapBytesLive() };
}

function report(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(44)}${value.toFixed(2).padStart(7)} ${unit}`);
}

function benchKnown(batches: readonly Batch[], name: string): void {
  const bench = makeBench();
  const first = Math.floor(Date.now() / 1000 / STEP_SEC - ROUNDS) * STEP_SEC;
  let lines = 0;
  let tookMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const batch of batches) {
      stampBatch(batch, round, first + round * STEP_SEC);
      const took = bench.read(batch.body);
      if (round === 0) continue;
      tookMs += took;
      lines += batch.lineCount;
    }
  }
  report(`known series, ${name}`, lines / tookMs / 1000, 'M lines/s');
  report(`live heap, ${name}`, bench.heapBytesLive() / lines, 'bytes/sample');
}

/** New series: hosts of the workload under ever new names of the same length. */
function benchNew(): void {
  const bench = makeBench();
  const [batch] = makeBatches(0.001);
  const text = batch!.body.toString('latin1');
  const nowSec = Math.floor(Date.now() / 1000);
  let series = 0;
  let tookMs = 0;
  for (let host = 0; series < REGISTERED_SERIES_MIN; host++) {
    const name = `a${String(10_000 + host)}`;
    const body = text.replaceAll('hostname=a0100', `hostname=${name}`);
    tookMs += bench.read(Buffer.from(body.replaceAll(' 0000000000\n', ` ${nowSec}\n`), 'latin1'));
    series += batch!.lineCount;
  }
  report('new series', (tookMs * 1000) / series, 'µs/series');
}

benchKnown(makeBatches(), '175,470 of them');
benchKnown(makeBatches(0.001), '2,234 of them (in the cache)');
benchNew();
