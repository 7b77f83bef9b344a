import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isMainThread,
  MessageChannel,
  parentPort,
  Worker,
  type MessagePort,
} from 'node:worker_threads';
import * as uws from 'uWebSockets.js';
import { spawnLoad } from '../load.js';

/**
 * What the machine can do at best of what the store's paths are made of, with one thread each: no path can be
 * faster than the sum of its parts here. The other benches are to be read against it.
 */
const MB = 1_000_000;
/** Far more than any cache. */
const LARGE_BYTES = 256 * MB;
const LINE_BYTES = 85;
const PIECE_BYTES = 1 << 20;
const FILE_BYTES = 512 * MB;
const SYNCS = 50;
const SMALL_WRITES = 200_000;
const HOPS = 4_000_000;
const ROUND_TRIPS = 20_000;
const LOAD_SEC = 3;

function report(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(52)}${value.toFixed(2).padStart(8)} ${unit}`);
}

function secondsOf(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}

/** Copies that miss every cache, as bodies do between socket and shard, and what a look at a random place costs. */
function benchMemory(): void {
  const memory = new WebAssembly.Memory({ initial: 8192, maximum: 8192, shared: true });
  const shared = new Uint8Array(memory.buffer, 0, LARGE_BYTES);
  const source = new Uint8Array(LARGE_BYTES).fill(1);
  shared.set(source);
  report(
    'copy into shared memory',
    LARGE_BYTES / secondsOf(() => shared.set(source)) / 1e9,
    'GB/s',
  );
  const cell = source.subarray(0, 100_000);
  const small = secondsOf(() => {
    for (let i = 0; i < 5000; i++) shared.set(cell, (i % 8) * 131_072);
  });
  report('the same, 100 KB that lie in the cache', (5000 * cell.length) / small / 1e9, 'GB/s');
  // A walk over places that no prefetcher knows: a step that is prime to the size visits all of them.
  const places = new Uint32Array(memory.buffer, 0, LARGE_BYTES / 4);
  const step = 39_916_801;
  for (let i = 0; i < places.length; i += 16)
    places[i] = ((i / 16 + step) % (places.length / 16)) * 16;
  let at = 0;
  const walk = secondsOf(() => {
    for (let i = 0; i < HOPS; i++) at = places[at]!;
  });
  if (at % 16 !== 0) throw new Error('the walk has left its places');
  report('a look at a random place of 256 MB', (walk / HOPS) * 1e9, 'ns');
}

function benchFiles(folder: string): void {
  const file = openSync(join(folder, 'file'), 'w');
  const piece = new Uint8Array(PIECE_BYTES).fill(7);
  const count = Math.floor(FILE_BYTES / PIECE_BYTES);
  const written = secondsOf(() => {
    for (let i = 0; i < count; i++) writeSync(file, piece);
  });
  report('write of a file into the system’s cache', (count * PIECE_BYTES) / written / 1e9, 'GB/s');
  report(
    'the same to the disk',
    (count * PIECE_BYTES) / secondsOf(() => fdatasyncSync(file)) / 1e9,
    'GB/s',
  );
  const synced = secondsOf(() => {
    for (let i = 0; i < SYNCS; i++) {
      writeSync(file, piece, 0, 4096);
      fdatasyncSync(file);
    }
  });
  report('4 KB written and synced', (synced / SYNCS) * 1e3, 'ms');
  const small = secondsOf(() => {
    for (let i = 0; i < SMALL_WRITES; i++) writeSync(file, piece, 0, 1, 0);
  });
  report('a small write: a system call out of JavaScript', (small / SMALL_WRITES) * 1e6, 'µs');
  closeSync(file);
}

/** A message to another thread and back, as a small query makes its way to its shard. */
async function benchMessages(): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const roundTrips = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      port1.on('message', () => {
        if (--left > 0) port1.postMessage(0);
        else {
          port1.removeAllListeners('message');
          resolve();
        }
      });
      port1.postMessage(0);
    });
  await roundTrips(ROUND_TRIPS / 10);
  const began = performance.now();
  await roundTrips(ROUND_TRIPS);
  report('a message to a thread and back', ((performance.now() - began) / ROUND_TRIPS) * 1e3, 'µs');
  port1.close();
  await worker.terminate();
}

/** Bodies of the workload into a server that throws them away: the ceiling of ingest over HTTP. */
async function benchSocket(): Promise<void> {
  const listening = new Promise<uws.us_listen_socket>((resolve, reject) => {
    uws
      .App()
      .any('/*', (response) => {
        response.onAborted(() => undefined);
        response.onData((_, isLast) => {
          if (isLast) response.cork(() => response.end('{}'));
        });
      })
      .listen('127.0.0.1', 0, (socket) =>
        socket ? resolve(socket) : reject(new Error('no port')),
      );
  });
  const socket = await listening;
  const before = process.cpuUsage();
  const load = await spawnLoad({
    port: uws.us_socket_local_port(socket),
    connections: 8,
    scale: 1,
    seed: 1,
    startSec: 1_795_000_020,
    stepSec: 60,
    firstRound: 0,
    endRound: Number.MAX_SAFE_INTEGER,
    seconds: LOAD_SEC,
    linesPerSec: 0,
  });
  const { user, system } = process.cpuUsage(before);
  report('bodies thrown away, as fast as the load generator', load.linesPerSec / 1e6, 'M lines/s');
  const perLine = (user + system) / load.lines;
  report('the same by the server’s CPU time', 1 / perLine, 'M lines/s');
  report('which are', LINE_BYTES / perLine / 1e3, 'GB/s');
  uws.us_listen_socket_close(socket);
}

async function main(): Promise<void> {
  benchMemory();
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-machine-'));
  try {
    benchFiles(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await benchMessages();
  await benchSocket();
}

if (isMainThread) await main();
else {
  parentPort!.once('message', (port: MessagePort) => {
    port.on('message', () => port.postMessage(0));
  });
}
