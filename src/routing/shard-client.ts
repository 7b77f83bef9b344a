import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { instantiateKernel, createShardMemory, type Kernel } from '../../workers/kernel/kernel.js';
import type { Limits, StoreConfig } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { StoreError } from '../model/errors.js';
import { Counters, TURN_KINDS, turnTimes, type TurnKind } from '../protocol/counters.js';
import type { HealthReport } from '../protocol/health.js';
import { NONE_IN_USE, type HostsInUse } from '../protocol/hosts-in-use.js';
import type { LatencyHistogram } from '../protocol/latency-histogram.js';
import type {
  AnyQueryTask,
  FromShard,
  ImportSummary,
  RestoreSummary,
  ShardFolders,
  ShardStart,
} from '../protocol/messages.js';
import type { ReconfigureTask, ShardReconfigured } from '../protocol/reconfigure.js';
import { BodyArena } from './body-arena.js';
import { QueryPort, type AnswerReceiver } from './query-port.js';
import { watchRestore } from './restore-watch.js';
import { PartRing, type Part } from './part-ring.js';
import { prefault } from './prefault.js';
import { makeThread, SHARD_THREAD } from './thread-pool.js';

/** What a shard is asked by name, through its pool: slow and rare things. */
export type TaskName =
  | 'free'
  | 'debug'
  | 'inspect'
  | 'health'
  | 'healthPage'
  | 'catalogue'
  | 'checkpoint'
  | 'archive'
  | 'exportSamples'
  | 'hostsInUse'
  | 'reconfigure'
  | 'unitMismatches';

/** How long a crashed shard waits before each further start, so that a crash at start does not spin. */
const RESTART_DELAY_MS = 200;

/**
 * The front's end of one shard: its memory, ring and port, and its life. A generation is one
 * worker with one memory; when it dies, what was in flight is answered with an error and a new
 * generation is started.
 */
export class ShardClient {
  readonly index: number;
  restarts = 0;
  ready = false;
  generation = 0;
  /** Counts changes of the configuration. */
  configuration = 0;
  /** What it imported at its last start. */
  imported: ImportSummary | undefined;
  /** Told what checks of hosts find. */
  onHealth: ((report: HealthReport) => void) | undefined;
  #hostsInUse: HostsInUse = NONE_IN_USE;
  memory!: WebAssembly.Memory;
  bytes!: Uint8Array;
  arena!: BodyArena;
  kernel!: Kernel;
  #ring!: PartRing;
  #counters: Counters | undefined;
  #port: MessagePort | undefined;
  readonly #queries = new QueryPort((message) => {
    this.#ring.countMessage();
    this.#port!.postMessage(message);
  });
  #waiters: (() => void)[] = [];
  #stopping = false;
  /** Counts starts and deaths: what belongs to an earlier one has no say any more. */
  #attempt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #beforeReady: (() => Promise<void>) | undefined;
  #pool: Piscina;
  readonly #store: StoreConfig;
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #folders: (() => ShardFolders) | undefined;

  constructor(
    index: number,
    store: StoreConfig,
    limits: Limits,
    log: Logger,
    folders: (() => ShardFolders) | undefined,
  ) {
    this.#folders = folders;
    this.index = index;
    this.#store = store;
    this.#limits = limits;
    this.#log = log;
    this.#pool = this.#makePool();
  }

  /** False as long as its folders are not there: of a store that waits for S3 no shard has memory. */
  get hasBegun(): boolean {
    return this.arena !== undefined;
  }

  #makePool(): Piscina {
    const onError = ({ message }: Error): void =>
      this.#log.error({ shard: this.index, error: message }, 'shard reported an error');
    return makeThread(SHARD_THREAD, onError);
  }

  /**
   * Starts the shard. It serves when it has restored what is on disk, and `beforeReady` is through.
   * Rejects if that failed; it is tried again then, as after each death.
   */
  async start(beforeReady?: () => Promise<void>): Promise<void> {
    this.#beforeReady = beforeReady;
    await this.#startGeneration();
  }

  /** A generation: fresh memory, fresh port, the shard's first task. */
  async #startGeneration(): Promise<void> {
    const attempt = ++this.#attempt;
    const hosts = this.#hostsInUse;
    try {
      await this.#tryToStart();
    } catch (error) {
      // Its thread may be alive, and must not go on beside the next one.
      if (attempt === this.#attempt && !this.#stopping) {
        await this.#replaceThread();
        this.#died(RESTART_DELAY_MS * 10);
      }
      throw error;
    }
    if (attempt !== this.#attempt) throw this.#unavailable();
    this.generation++;
    this.ready = true;
    if (hosts !== this.#hostsInUse) this.#sendHostsInUse();
    this.#wakeWaiters();
  }

  /** Which of its hosts keep their data beyond the retention, now and after each start. */
  setHostsInUse(hosts: HostsInUse): void {
    this.#hostsInUse = hosts;
    if (this.ready) this.#sendHostsInUse();
  }

  #sendHostsInUse(): void {
    // One that dies of it or before it is told at its next start.
    this.#runTask('hostsInUse', this.#hostsInUse).catch((error: Error) =>
      this.#log.error({ shard: this.index, error: error.message }, 'hosts in use were not taken'),
    );
  }

  async #replaceThread(): Promise<void> {
    this.#attempt++;
    this.#port?.removeAllListeners('close').close();
    const old = this.#pool;
    this.#pool = this.#makePool();
    await old.destroy();
  }

  async #tryToStart(): Promise<void> {
    this.memory = createShardMemory();
    this.bytes = new Uint8Array(this.memory.buffer);
    this.arena = new BodyArena();
    this.kernel = instantiateKernel(this.memory);
    this.#ring = new PartRing(this.memory);
    this.#counters = new Counters(this.memory);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: FromShard) => this.#receive(message));
    port1.on('close', () => {
      if (port1 === this.#port) this.#died();
    });
    const start: ShardStart = {
      shard: this.index,
      memory: this.memory,
      port: port2,
      store: this.#store,
      limits: this.#limits,
      hostsInUse: this.#hostsInUse,
      folders: this.#folders?.(),
    };
    let { configuration } = this;
    await this.#restore(start);
    await this.#beforeReady?.();
    // What it was started with may be of yesterday: to restore takes its time.
    while (configuration !== this.configuration) {
      ({ configuration } = this);
      await this.#reconfigure();
    }
  }

  /**
   * Goes on with the configuration, which has changed in place; resolves to what that came to. Undefined: the
   * shard is not up, and will have it when it is.
   */
  async reconfigured(): Promise<ShardReconfigured | undefined> {
    this.configuration++;
    if (!this.ready) return undefined;
    try {
      return await this.#reconfigure();
    } catch (error) {
      if (error instanceof StoreError) throw error;
      // Its thread died on the way: the next one is started with it.
      return undefined;
    }
  }

  #reconfigure(): Promise<ShardReconfigured> {
    const task: ReconfigureTask = { store: this.#store, limits: this.#limits };
    return this.#runTask<ShardReconfigured>('reconfigure', task);
  }

  get hasRoom(): boolean {
    return this.ready && !this.#ring.isFull;
  }

  /** Calls back once, when room may have appeared or the shard's state changed. */
  whenRoom(callback: () => void): void {
    this.#waiters.push(callback);
  }

  /** Memory was given back by other hands than the shard's: those who wait look again, later. */
  roomAppeared(): void {
    if (this.#waiters.length > 0) setImmediate(() => this.#wakeWaiters());
  }

  /** Publishes a part; the caller has checked `hasRoom`. */
  publish(part: Part, arrivalSec: number): void {
    // Bodies are large: what was asked before one does not wait for those behind it.
    this.#queries.flush();
    if (this.#ring.publish(part, arrivalSec)) this.#port!.postMessage(0);
  }

  /** Sends a query with all others of this turn of the event loop, in one message. */
  query(task: AnyQueryTask, receiver: AnswerReceiver): void {
    if (!this.ready) {
      receiver.done(this.#unavailable(), this.bytes);
      return;
    }
    this.#queries.send(task, receiver);
  }

  /** The client has taken a piece of a streamed answer. */
  taken(id: number): void {
    if (this.ready) this.#queries.taken(id);
  }

  /** Nobody waits for the answer any more. */
  cancel(id: number): void {
    this.#queries.cancel(id);
  }

  /** Rejects with StoreError: tasks tell their own as data, what is thrown is the end of the thread. */
  async run<Result>(name: TaskName, argument: unknown): Promise<Result> {
    if (!this.ready) throw this.#unavailable();
    try {
      return await this.#runTask<Result>(name, argument);
    } catch (error) {
      throw error instanceof StoreError ? error : this.#unavailable((error as Error).message);
    }
  }

  /** The same while it does not serve: at its start and end. */
  runUnready<Result>(name: TaskName): Promise<Result> {
    return this.#runTask<Result>(name, undefined);
  }

  async #runTask<Result>(
    name: string,
    argument: unknown,
    transferList: MessagePort[] = [],
  ): Promise<Result> {
    const answer = (await this.#pool.run(argument, { name, transferList })) as
      { value: Result } | { error: { code: never; message: string } };
    if ('error' in answer) throw StoreError.fromData(answer.error);
    return answer.value;
  }

  /** Nothing before its first start. */
  counters(): Record<string, number> {
    return this.#counters?.read() ?? {};
  }

  /** Of its turns, each kind; nothing before its first start. */
  turnTimes(): readonly (readonly [TurnKind, LatencyHistogram])[] {
    const { memory } = this as { memory?: WebAssembly.Memory };
    return memory ? TURN_KINDS.map((kind) => [kind, turnTimes(memory, kind)]) : [];
  }

  async #restore(start: ShardStart): Promise<void> {
    const run = (): Promise<RestoreSummary | undefined> =>
      this.#runTask('start', start, [start.port]);
    const restored = await watchRestore(run, this.index, this.#counters!, this.#log);
    this.imported = restored?.imported;
  }

  /** Lets parts in flight finish (bounded), has the shard save what it has, then ends the worker. */
  async stop(): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (this.ready && this.#ring.count > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const isUp = this.ready;
    this.#stopping = true;
    this.ready = false;
    clearTimeout(this.#restartTimer);
    if (isUp) {
      await this.#runTask('stop', undefined).catch((error: Error) =>
        this.#log.error({ shard: this.index, error: error.message }, 'shard did not stop well'),
      );
    }
    this.#port?.close();
    await this.#pool.destroy();
  }

  #receive(message: FromShard): void {
    if (message.warning !== undefined) this.#log.warn({ shard: this.index }, message.warning);
    if (message.archived) this.#log.info({ shard: this.index, ...message.archived }, 'archived');
    if (message.health) this.onHealth?.(message.health);
    if (message.heapBytes) this.#prefault(message.heapBytes);
    if (this.#ring.settle(message)) this.#wakeWaiters();
    if (message.batch) {
      for (const answer of message.batch.answers) this.#queries.deliver(answer, this.bytes);
      if (this.#ring.consumeBatch(message.batch.number)) this.#port!.postMessage(0);
    }
  }

  #prefault(heapBytes: number): void {
    const attempt = this.#attempt;
    prefault(this.memory, heapBytes, () => this.ready || attempt !== this.#attempt);
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  #unavailable(why = ''): StoreError {
    const cause = why && ` (${why})`;
    return new StoreError(
      'shard-unavailable',
      `shard ${this.index} is being restarted; try again in a moment${cause}`,
    );
  }

  #died(restartDelayMs = RESTART_DELAY_MS): void {
    this.ready = false;
    this.#attempt++;
    const error = this.#unavailable();
    // There is none where memory could not be had.
    (this.#ring as PartRing | undefined)?.failAll(error);
    this.#queries.failAll(error, this.bytes);
    this.#wakeWaiters();
    if (this.#stopping) return;
    this.restarts++;
    this.#log.error(
      { shard: this.index, restarts: this.restarts },
      'shard died; starting it again',
    );
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => this.#restart(), restartDelayMs);
  }

  #restart(): void {
    if (this.#stopping) return;
    this.#startGeneration().then(
      () => this.#log.warn({ shard: this.index }, 'shard is back'),
      (error: Error) =>
        this.#log.error({ shard: this.index, error: error.message }, 'shard did not start'),
    );
  }
}
