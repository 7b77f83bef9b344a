import { Worker } from 'node:worker_threads';

/** What the thread of a turn is started with. */
export interface TurnStart {
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  /** Bytes of the input under way, how many inputs there were, then the input. */
  readonly shared: SharedArrayBuffer;
}

export interface TurnReport {
  readonly runs: number;
  /** Inputs that reached something new, with the corpus. */
  readonly kept: number;
  /** Blocks of code that ran. */
  readonly blocks: number;
  readonly finding:
    | {
        readonly told: string;
        readonly input: Uint8Array;
        readonly isAlone: boolean;
        /** Of the corpus, '' = a new input. */
        readonly name: string;
      }
    | undefined;
}

const SHARED_BYTES = 1024 * 1024;
/** An input that takes longer hangs; what is made small may take so long as well. */
const HANG_MS = 90_000;
const LOOK_MS = 1000;
/** Of an input's garbage; beyond, it takes memory without a bound. */
const HEAP_MB_MAX = 1024;

/** Lets a target run for some seconds; what kills its thread, or never ends, is a finding as well. */
export function takeTurn(target: string, seed: number, seconds: number): Promise<TurnReport> {
  const shared = new SharedArrayBuffer(SHARED_BYTES);
  const words = new Int32Array(shared, 0, 2);
  const workerData: TurnStart = { target, seed, seconds, shared };
  const worker = new Worker(new URL('fuzz-worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  const failed = (told: string): TurnReport => {
    const input = Buffer.from(new Uint8Array(shared, words.byteLength, words[0]!));
    const finding = { told, input: Buffer.from(input), isAlone: true, name: '' };
    return { runs: words[1]!, kept: 0, blocks: 0, finding };
  };
  return new Promise((resolve) => {
    let runs = 0;
    let movedMs = performance.now();
    const timer = setInterval(() => {
      const now = Atomics.load(words, 1);
      if (now !== runs) movedMs = performance.now();
      runs = now;
      if (performance.now() - movedMs < HANG_MS) return;
      void worker.terminate();
      end(failed(`does not end within ${HANG_MS} ms`));
    }, LOOK_MS);
    const end = (report: TurnReport): void => {
      clearInterval(timer);
      resolve(report);
    };
    worker.once('message', (report: TurnReport) => {
      void worker.terminate();
      end(report);
    });
    worker.once('error', (error) => end(failed(`ends its thread: ${error.stack}`)));
    worker.once('exit', (code) => end(failed(`ends its thread with code ${code}`)));
  });
}
