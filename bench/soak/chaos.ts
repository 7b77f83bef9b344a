import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/helpers/metrics.js';
import type { Random } from '../../test/helpers/random.js';
import type { HttpClient } from './http-client.js';
import type { HttpWriter } from './http-writer.js';
import type { Journal } from './journal.js';
import type { Ledger } from './ledger.js';
import { RETENTION_SEC, SHORT_RETENTION_SEC, type Place } from './place.js';
import type { SoakHost } from './site.js';
import type { SoakStore } from './soak-store.js';
import type { Tally } from './tally.js';

/** How long something may take that comes by itself; nothing here is about speed. */
const WAIT_MS_MAX = 60_000;
const CRASH_MS_MAX = 10_000;
const FREE_AGE_SEC = 60;
const FILLER_PIECE_BYTES = 64 * 1024;

export interface ChaosParts {
  readonly place: Place;
  readonly store: SoakStore;
  readonly client: HttpClient;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly writers: readonly HttpWriter[];
  /** Whose data is freed. */
  readonly freedHost: SoakHost;
  /** Outages last so much of their usual time. */
  readonly holdShare: number;
}

export type Deed = (random: Random) => Promise<void>;

/** What is done to the store, and to what it relies on. Each deed ends when things are well again. */
export class Chaos {
  readonly #parts: ChaosParts;
  /** Of the configuration now, or the shorter one while it changes. */
  retentionSec = RETENTION_SEC;
  #changes = 0;

  constructor(parts: ChaosParts) {
    this.#parts = parts;
  }

  readonly deeds: Readonly<Record<string, Deed>> = {
    'kill -9': () => this.#kill(),
    SIGTERM: () => this.#stop(),
    'start from S3': () => this.#startFromS3(),
    'shard dies': (random) => this.#crash(random),
    'S3 is down': (random) => this.#s3Down(random),
    'S3 fails now and then': (random) => this.#s3Faults(random),
    'S3 is slow': (random) => this.#s3Slow(random),
    'NATS is killed': (random) => this.#nats(random, 'kill'),
    'NATS is restarted': (random) => this.#nats(random, 'stop'),
    'limit by PATCH': () => this.#patchLimit(),
    'retention by PATCH': () => this.#patchRetention(),
    'memory cap by PATCH': (random) => this.#patchCap(random),
    'file changes': () => this.#file(false),
    SIGHUP: () => this.#file(true),
    checkpoint: () => this.#post('/api/v2/admin/checkpoint'),
    archive: () => this.#post('/api/v2/admin/archive'),
    free: () => this.#free(),
    'disk is full': (random) => this.#fillDisk(random),
  };

  /** An outage lasts. */
  async #hold(random: Random, leastMs: number, moreMs: number): Promise<void> {
    await delay((leastMs + random.below(moreMs)) * this.#parts.holdShare);
  }

  async #kill(): Promise<void> {
    const { store } = this.#parts;
    await store.kill();
    await this.#startAgain();
  }

  async #stop(): Promise<void> {
    const { store, journal, writers } = this.#parts;
    await Promise.all(writers.map((writer) => writer.pause()));
    await this.compareCounts();
    for (const writer of writers) writer.resume();
    const { code } = await store.stop();
    if (code !== 0) journal.fail(`SIGTERM: exit code ${code}`);
    await this.#startAgain();
  }

  /** Whoever has stopped well can lose the machine: all is in the last checkpoint, which is on S3. */
  async #startFromS3(): Promise<void> {
    const { store, journal, place } = this.#parts;
    const { code, output } = await store.stop();
    if (code !== 0) journal.fail(`SIGTERM: exit code ${code}`);
    if (/NOT in s3:|NOT on S3/i.test(output)) {
      journal.note('the last checkpoint is not on S3', 'the folder stays');
    } else rmSync(place.local, { recursive: true, force: true });
    await this.#startAgain();
  }

  async #startAgain(): Promise<void> {
    const { store, client, journal, tally } = this.#parts;
    const began = performance.now();
    tally.reset();
    await store.start();
    await store.ready(client);
    journal.note('ready again', `${Math.round(performance.now() - began)} ms`);
  }

  async #crash(random: Random): Promise<void> {
    const { store, client, journal } = this.#parts;
    const process = store.process;
    if (!process) return;
    const backs = (): number => process.output().match(/shard is back/g)?.length ?? 0;
    const before = backs();
    // Threads of shards come first; which numbers later ones have is not known.
    process.crash(store.shardDeaths === 0 ? 1 + random.below(2) : 'any');
    store.shardDeaths++;
    const isBack = await eventually(() => backs() > before, CRASH_MS_MAX);
    process.release();
    if (isBack) journal.count('shards that died');
    else journal.note('another thread died', 'or none');
    await store.ready(client);
  }

  async #s3Down(random: Random): Promise<void> {
    const { s3 } = this.#parts.place;
    await s3.down();
    await this.#hold(random, 3000, 6000);
    await s3.up();
  }

  async #s3Faults(random: Random): Promise<void> {
    const { s3 } = this.#parts.place;
    let requests = random.below(8);
    s3.failure = () => {
      const kind = requests++ % 8;
      return kind === 2 ? 503 : kind === 4 ? 'reset' : kind === 5 ? 'cut' : undefined;
    };
    await this.#hold(random, 4000, 6000);
    s3.failure = () => undefined;
  }

  async #s3Slow(random: Random): Promise<void> {
    const { s3 } = this.#parts.place;
    s3.delayMs = 200 + random.below(800);
    await this.#hold(random, 4000, 6000);
    s3.delayMs = 0;
  }

  async #nats(random: Random, how: 'kill' | 'stop'): Promise<void> {
    const { nats } = this.#parts.place;
    const { client, journal } = this.#parts;
    await nats[how]();
    await this.#hold(random, 1000, 4000);
    await nats.start();
    const isActive = async (): Promise<boolean> => {
      const { nats: status } = await client.json('/api/v2/status').catch(() => ({ nats: {} }));
      return (
        status.state === 'connected' &&
        status.subscriptions.every(({ state }: { state: string }) => state === 'active')
      );
    };
    if (await eventually(isActive, WAIT_MS_MAX)) return;
    journal.fail(`NATS is back, and the store reads nothing from it ${WAIT_MS_MAX} ms later`);
  }

  async #patchLimit(): Promise<void> {
    await this.#patch({ metricshard: { limits: { 'jobs-max': 9000 + ++this.#changes } } });
  }

  /** Half of what is in memory is past the retention then, and goes to the archive; and later not. */
  async #patchRetention(): Promise<void> {
    const isShort = this.retentionSec === SHORT_RETENTION_SEC;
    const sec = isShort ? RETENTION_SEC : SHORT_RETENTION_SEC;
    if (!isShort) this.retentionSec = sec;
    await this.#patch({ 'metric-store': { 'retention-in-memory': `${sec}s` } });
    this.retentionSec = sec;
  }

  async #patchCap(random: Random): Promise<void> {
    const share = 0.8 + 0.4 * random.next();
    const cap = (this.#parts.place.capBytes * share) / 1e9;
    await this.#patch({ 'metric-store': { 'memory-cap': cap } });
  }

  async #patch(body: object): Promise<void> {
    const answer = await this.#parts.client.ask('/api/v2/admin/config', {
      method: 'PATCH',
      body: JSON.stringify(body),
    });
    if (answer.status === 200) return;
    const text = answer.body.toString().slice(0, 500);
    this.#parts.journal.fail(`PATCH ${JSON.stringify(body)}: ${answer.status} ${text}`);
  }

  /** Another configuration file, which is seen by itself or after a signal. */
  async #file(signals: boolean): Promise<void> {
    const { place, store, client, journal } = this.#parts;
    const wanted = 5000 + ++this.#changes;
    const { pid } = store.process!;
    place.writeConfig({ 'selections-max': wanted });
    if (signals) process.kill(pid, 'SIGHUP');
    const isInEffect = async (): Promise<boolean> => {
      const shown = await client.json('/api/v2/admin/config').catch(() => undefined);
      return shown?.settings.some(
        ({ path, value }: { path: string; value: unknown }) =>
          path === 'metricshard.limits.selections-max' && value === wanted,
      );
    };
    if (await eventually(isInEffect, WAIT_MS_MAX)) return;
    journal.fail(`the configuration file is not read again ${WAIT_MS_MAX} ms later`);
  }

  async #post(path: string): Promise<void> {
    const { status, body } = await this.#parts.client.post(path, '');
    this.#parts.journal.count(`${path} ${status}`);
    if (status === 200) return;
    // A disk or a shard that is away is a reason; the next one succeeds.
    this.#parts.journal.note(`${path}: ${status}`, body.toString().slice(0, 200));
  }

  async #free(): Promise<void> {
    const { client, journal, ledger, freedHost } = this.#parts;
    const toSec = Math.floor(Date.now() / 1000) - FREE_AGE_SEC;
    if (toSec <= freedHost.fromSec) return;
    const selector = [[freedHost.cluster, freedHost.name]];
    ledger.freed(freedHost, toSec);
    const preview = await client.post(`/api/free?to=${toSec}&preview=true`, selector);
    const freed = await client.post(`/api/free?to=${toSec}`, selector);
    const isFreed = /^buffers freed: \d+/.test(freed.body.toString());
    if (preview.status === 200 && freed.status === 200 && isFreed) return;
    const texts = [preview, freed].map(({ status, body }) => `${status} ${body.toString()}`);
    const isRefused = [preview, freed].every(({ status }) => [200, 503].includes(status));
    if (!isRefused) journal.fail(`free: ${texts.join('; ')}`);
  }

  async #fillDisk(random: Random): Promise<void> {
    const { place, ledger, journal } = this.#parts;
    if (place.disk === undefined) return;
    const filler = openSync(join(place.disk, 'filler'), 'w');
    const piece = Buffer.alloc(FILLER_PIECE_BYTES);
    try {
      // The store writes meanwhile: there is no knowing how much there is room for.
      for (;;) writeSync(filler, piece);
    } catch {
      await this.#hold(random, 1000, 4000);
    } finally {
      closeSync(filler);
      rmSync(join(place.disk, 'filler'));
    }
    const before = ledger.acknowledgedCells;
    if (await eventually(() => ledger.acknowledgedCells > before, WAIT_MS_MAX)) return;
    journal.fail(`the disk has room, and nothing is taken ${WAIT_MS_MAX} ms later`);
  }

  /**
   * While no body is under way: the samples that the store counts are those that it answered, and those
   * from NATS. A shard that died counts from 0 again.
   */
  async compareCounts(): Promise<void> {
    const { client, journal, tally, store } = this.#parts;
    if (store.shardDeaths > 0) return;
    let last = '';
    for (let tries = 0; tries < 50; tries++) {
      const before = await this.#counts(client);
      const after = await this.#counts(client);
      const isStill = before.samples === after.samples && before.nats === after.nats;
      if (isStill && tally.isPossible(after.samples - after.nats)) {
        journal.count('counts compared');
        return;
      }
      const { written, doubtful } = tally;
      last = `${after.samples} samples, ${after.nats} from NATS, ${written} answered, ${doubtful} doubtful`;
      await delay(100);
    }
    journal.fail(`/metrics does not count what was answered: ${last}`);
  }

  async #counts(client: HttpClient): Promise<{ samples: number; nats: number }> {
    const natsOf = async (): Promise<number> => {
      const { nats } = await client.json('/api/v2/status');
      return nats.subscriptions.reduce(
        (sum: number, { written }: { written: number }) => sum + written,
        0,
      );
    };
    const first = await natsOf();
    const text = (await client.ask('/metrics')).body.toString();
    const nats = await natsOf();
    let samples = 0;
    for (const [, value] of text.matchAll(/^metricshard_samples_total\S* (\d+)$/gm)) {
      samples += Number(value);
    }
    // Not to be compared: messages came meanwhile.
    return { samples, nats: first === nats ? nats : NaN };
  }
}
