import { LatencyHistogram, sumOf } from '../protocol/latency-histogram.js';

/** What became of a request: answered well, refused for a mistake of the caller's, or failed on our side. */
export const OUTCOMES = ['ok', 'refused', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What is counted of a request when its answer begins. */
interface Answered {
  /** By the clock of `performance.now()`. */
  readonly beganMs: number;
}

/** Bodies of lines, in whichever form they come. */
const WRITE_PATHS = ['/api/write', '/write', '/api/v2/write'];
/** Questions about samples. */
const QUERY_PATHS = ['/api/query', '/api/v2/query', '/api/v2/job-stats'];

/**
 * Requests to a path: how many were answered with which status, and how long it took until the answer began. A
 * request costs an addition to a number in an array: there is no object for it.
 */
export class PathTimes {
  readonly label: string;
  readonly byStatus = new Map<number, number>();
  readonly #histograms = OUTCOMES.map(() => new LatencyHistogram());

  constructor(label: string) {
    this.label = label;
  }

  /**
   * To be given to `whenAnswered`. It is one function for all requests to the path: one that holds a request would
   * be held by it, and live longer than it should.
   */
  readonly answered = (status: number, { beganMs }: Answered): void => {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    const outcome = status < 400 ? 0 : status < 500 ? 1 : 2;
    this.#histograms[outcome]!.add((performance.now() - beganMs) / 1000);
  };

  histogram(outcome: Outcome): LatencyHistogram {
    return this.#histograms[OUTCOMES.indexOf(outcome)]!;
  }

  get count(): number {
    let count = 0;
    for (const of of this.byStatus.values()) count += of;
    return count;
  }
}

/** Requests by label: a path, or what many paths are counted as. There are as many entries as routes have labels. */
export class RequestTimes {
  readonly #byLabel = new Map<string, PathTimes>();

  /** @param label one that there is a route for, or `other`: it is kept for good. */
  of(label: string): PathTimes {
    let times = this.#byLabel.get(label);
    if (!times) this.#byLabel.set(label, (times = new PathTimes(label)));
    return times;
  }

  /** In the order in which they were first asked for. */
  all(): Iterable<PathTimes> {
    return this.#byLabel.values();
  }

  get count(): number {
    let count = 0;
    for (const times of this.#byLabel.values()) count += times.count;
    return count;
  }

  /** Times of bodies of lines that were taken, as words of a histogram. */
  writes(): Float64Array {
    return this.#answeredWell(WRITE_PATHS);
  }

  /** Times of questions that were answered, as words of a histogram. */
  queries(): Float64Array {
    return this.#answeredWell(QUERY_PATHS);
  }

  /** Whatever became of them. */
  queryCount(): number {
    return QUERY_PATHS.reduce((sum, path) => sum + (this.#byLabel.get(path)?.count ?? 0), 0);
  }

  /** What is refused is refused at once: it would make the rest look fast. */
  #answeredWell(paths: readonly string[]): Float64Array {
    const all = paths.flatMap((path) => this.#byLabel.get(path) ?? []);
    return sumOf(all.map((times) => times.histogram('ok').words));
  }
}
