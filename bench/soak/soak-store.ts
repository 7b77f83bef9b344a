import { setTimeout as delay } from 'node:timers/promises';
import { startWithLevers, type Levers } from '../../test/helpers/levers.js';
import { S3_ENV } from '../../test/helpers/s3-server.js';
import type { TestServer } from '../../test/helpers/server.js';
import type { HttpClient } from './http-client.js';
import type { Journal } from './journal.js';
import type { Place } from './place.js';

const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 60_000;
const LOOK_MS = 50;

export type Process = TestServer & Levers;

/**
 * The C library gives back what was freed, and has few places for it: else holes that it keeps, more of them with each
 * thread that dies, look like memory that is lost, 200 MB in ten minutes.
 */
const MALLOC_ENV = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };

/** The store, as one process after the other. */
export class SoakStore {
  readonly #place: Place;
  readonly #journal: Journal;
  #process: Process | undefined;
  /** Counts the processes, from 1. */
  generation = 0;
  /** Shards that died in this process. */
  shardDeaths = 0;
  /** What former processes have printed, as far as it is a reason to fail. */
  readonly #complaints: string[] = [];

  constructor(place: Place, journal: Journal) {
    this.#place = place;
    this.#journal = journal;
  }

  /** Undefined while there is none. */
  get process(): Process | undefined {
    return this.#process;
  }

  async start(): Promise<void> {
    const flags = ['-config', this.#place.configFile];
    const started = await startWithLevers({}, { env: { ...S3_ENV, ...MALLOC_ENV }, flags });
    this.generation++;
    this.shardDeaths = 0;
    this.#process = started;
    void started.ended.then((code) => {
      if (this.#process !== started) return;
      this.#process = undefined;
      this.#journal.fail(`the store ended by itself with ${code}: ${tail(started.output())}`);
    });
  }

  /** Waits until all shards serve. Throws where they never do. */
  async ready(client: HttpClient): Promise<void> {
    const deadline = performance.now() + READY_MS_MAX;
    while (performance.now() < deadline) {
      const status = await client.ask('/ready').then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) return;
      await delay(LOOK_MS);
    }
    throw new Error(`the store is not ready: ${tail(this.#process?.output() ?? '')}`);
  }

  async kill(): Promise<void> {
    await this.#end(async (process) => process.kill());
  }

  /** SIGTERM; its exit code, and what it has printed. */
  async stop(): Promise<{ code: number | null; output: string }> {
    let code: number | null = null;
    const output = this.#process?.output ?? (() => '');
    await this.#end(async (ending) => {
      process.kill(ending.pid, 'SIGTERM');
      const late = delay(STOP_MS_MAX, 'late' as const, { ref: false });
      const ended = await Promise.race([ending.ended, late]);
      if (ended === 'late') this.#journal.fail(`SIGTERM: it still runs ${STOP_MS_MAX} ms later`);
      else code = ended;
      // Removes what the levers need.
      await ending.kill();
    });
    return { code, output: output() };
  }

  async #end(how: (process: Process) => Promise<void>): Promise<void> {
    const ending = this.#process;
    if (!ending) return;
    this.#process = undefined;
    await how(ending);
    this.#complaints.push(...complaintsOf(ending.output()));
  }

  /** Lines of all processes that tell of damage, or of a fault of the store's own. */
  complaints(): readonly string[] {
    return [...this.#complaints, ...complaintsOf(this.#process?.output() ?? '')];
  }
}

/**
 * A kill may cut off a write: that part of the log was never acknowledged, and that it is not read is
 * told, rightly.
 */
function complaintsOf(output: string): string[] {
  const lines = output.split('\n');
  const damage = lines.filter((line) => line.includes('restore: '));
  const isCutOff = (line: string): boolean => /half a (frame|header); its last/.test(line);
  const hasCutOff = damage.some(isCutOff);
  return [
    ...damage.filter(
      (line) => !isCutOff(line) && !(hasCutOff && /files concerned are kept/.test(line)),
    ),
    ...lines.filter((line) => line.includes('"level":"fatal"')),
  ];
}

function tail(output: string): string {
  return output.slice(-2000);
}
