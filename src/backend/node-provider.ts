import type { BackendConfig } from '../config/backend-config.js';
import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Logger } from '../model/logger.js';
import { countHosts, NONE_IN_USE, type HostsInUse } from '../protocol/hosts-in-use.js';
import { askBackend, placeOf } from './ask-backend.js';
import { parseUsedNodes } from './used-nodes.js';

/** How often it is looked whether something is due. */
const LOOK_MS = 1000;
/** After a question without an answer the next comes so soon, and twice as late each further time. */
const RETRY_SEC = 15;

/**
 * `off`: there is no backend; `waiting`: it has not answered yet, all hosts count as used; `current`: its
 * last answer holds; `kept`: so it does, but there should be a newer one; `expired`: there was none for
 * too long, no host counts as used.
 */
export type NodeProviderState = 'off' | 'waiting' | 'current' | 'kept' | 'expired';

export interface NodeProviderParts {
  readonly config: BackendConfig;
  /** Of samples in memory, read when it is needed. */
  readonly retentionSec: () => number;
  /** Told each time when other hosts are in use. */
  readonly apply: (hosts: HostsInUse) => void;
  readonly log: Logger;
}

/**
 * Asks cc-backend now and then which nodes are in use by jobs that began before what is in memory. Without an
 * answer the last one holds for `nodes-keep-sec`; after a start, as long, all hosts count as used, so that
 * nothing goes only because the backend came later.
 */
export class NodeProvider implements ProgramPart {
  readonly name = 'backend';
  readonly #parts: NodeProviderParts;
  #config: BackendConfig;
  #state: NodeProviderState = 'off';
  #hosts: HostsInUse = NONE_IN_USE;
  /** Of the last answer, or of the start where there is none. */
  #heldSinceMs = 0;
  #askedAtMs = 0;
  #answeredAtMs = 0;
  #nextMs = 0;
  #problem = '';
  #refusedNames = 0;
  #questions = 0;
  #failures = 0;
  /** Failures since the last answer. */
  #row = 0;
  /** Counts configurations: an answer to a question of an earlier one says nothing. */
  #generation = 0;
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: NodeProviderParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#begin();
  }

  /** What holds before the first answer. */
  get hosts(): HostsInUse {
    return this.#hosts;
  }

  /** Begins to ask. */
  start(): void {
    this.#timer = setInterval(() => this.#look(Date.now()), LOOK_MS).unref();
    this.#look(Date.now());
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#generation++;
  }

  /** Takes other settings. Another backend is asked at once; until it answers all hosts count as used. */
  configure(config: BackendConfig): void {
    const isOther = config.url !== this.#config.url;
    this.#config = config;
    // What stood in the way may be gone: a wrong token, a time that was too short.
    this.#nextMs = 0;
    this.#generation++;
    this.#isAsking = false;
    if (!isOther) return;
    this.#begin();
    this.#parts.apply(this.#hosts);
  }

  status(): object {
    if (this.#state === 'off') return { state: this.#state };
    const clusters = this.#hosts === 'all' ? 0 : this.#hosts.size;
    return {
      url: placeOf(this.#config.url),
      state: this.#state,
      problem: this.#problem,
      hostsInUse: countHosts(this.#hosts),
      clusters,
      refusedNames: this.#refusedNames,
      askedAtSec: Math.floor(this.#askedAtMs / 1000),
      answeredAtSec: Math.floor(this.#answeredAtMs / 1000),
      keptUntilSec: Math.floor(this.#heldSinceMs / 1000) + this.#config.nodesKeepSec,
      questions: this.#questions,
      failures: this.#failures,
    };
  }

  problems(): string[] {
    if (this.#state === 'off' || this.#problem === '') return [];
    return [`which hosts are in use is not known: ${this.#problem}; ${this.#meanwhile()}`];
  }

  metrics(): string {
    if (this.#state === 'off') return '';
    const isUp = this.#state === 'current' ? 1 : 0;
    const isHeld = this.#state === 'expired' ? 0 : 1;
    return [
      metricFamily('backend_up', 'gauge', '1 if cc-backend answered the last question.', isUp),
      metricFamily(
        'backend_answer_held',
        'gauge',
        '0: hosts in use are not spared any more.',
        isHeld,
      ),
      metricFamily(
        'backend_hosts_in_use',
        'gauge',
        'Hosts that keep their data.',
        countHosts(this.#hosts),
      ),
      metricFamily(
        'backend_answer_timestamp_seconds',
        'gauge',
        'When the last answer came, Unix time; 0: none yet.',
        this.#answeredAtMs / 1000,
      ),
      metricFamily(
        'backend_questions_total',
        'counter',
        'Questions which hosts are in use.',
        this.#questions,
      ),
      metricFamily(
        'backend_failures_total',
        'counter',
        'Questions without a good answer.',
        this.#failures,
      ),
    ].join('');
  }

  #begin(): void {
    const isOff = this.#config.url === '';
    this.#state = isOff ? 'off' : 'waiting';
    this.#hosts = isOff ? NONE_IN_USE : 'all';
    this.#heldSinceMs = Date.now();
    this.#answeredAtMs = 0;
    this.#problem = '';
    this.#row = 0;
  }

  #look(nowMs: number): void {
    if (this.#state === 'off') return;
    const isOver = nowMs >= this.#heldSinceMs + this.#config.nodesKeepSec * 1000;
    if (isOver && this.#state !== 'expired') this.#expire();
    if (nowMs >= this.#nextMs && !this.#isAsking) void this.#ask(nowMs);
  }

  async #ask(nowMs: number): Promise<void> {
    const generation = this.#generation;
    this.#isAsking = true;
    this.#askedAtMs = nowMs;
    this.#questions++;
    try {
      const path = `/api/jobs/used_nodes?ts=${this.#beganBeforeSec(nowMs)}`;
      const { hosts, refusedNames } = parseUsedNodes(await askBackend(this.#config, path));
      if (generation !== this.#generation) return;
      this.#isAsking = false;
      this.#answered(hosts, refusedNames);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#isAsking = false;
      this.#failed((error as Error).message);
    }
  }

  /**
   * Jobs that began before that second have samples which are past the retention, or will be before there is
   * another answer.
   */
  #beganBeforeSec(nowMs: number): number {
    const { nodesIntervalSec, timeoutSec } = this.#config;
    const untilSec = nowMs / 1000 + nodesIntervalSec + timeoutSec;
    return Math.max(0, Math.ceil(untilSec - this.#parts.retentionSec()));
  }

  #answered(hosts: HostsInUse, refusedNames: number): void {
    const { apply, log } = this.#parts;
    const place = placeOf(this.#config.url);
    if (this.#state !== 'current') {
      log.info({}, `${place} tells which hosts are in use: ${countHosts(hosts)} are`);
    }
    if (refusedNames > 0 && this.#refusedNames === 0) {
      log.warn({}, `${place} tells ${refusedNames} names that no host can have: they are left out`);
    }
    const nowMs = Date.now();
    this.#state = 'current';
    this.#hosts = hosts;
    this.#refusedNames = refusedNames;
    this.#heldSinceMs = nowMs;
    this.#answeredAtMs = nowMs;
    this.#nextMs = nowMs + this.#config.nodesIntervalSec * 1000;
    this.#problem = '';
    this.#row = 0;
    apply(hosts);
  }

  #failed(problem: string): void {
    const { log } = this.#parts;
    this.#failures++;
    this.#problem = problem;
    const pauseSec = Math.min(RETRY_SEC * 2 ** this.#row++, this.#config.nodesIntervalSec);
    this.#nextMs = Date.now() + pauseSec * 1000;
    if (this.#state === 'current') this.#state = 'kept';
    if (this.#row > 1) return;
    const place = placeOf(this.#config.url);
    log.warn({ problem }, `${place} does not tell which hosts are in use; ${this.#meanwhile()}`);
  }

  #meanwhile(): string {
    if (this.#state === 'expired') return 'none is spared by the retention';
    const until = new Date(this.#heldSinceMs + this.#config.nodesKeepSec * 1000).toISOString();
    const what = this.#state === 'waiting' ? 'nothing goes by its age' : 'its last answer holds';
    return `${what} until ${until} (nodes-keep-sec)`;
  }

  #expire(): void {
    const { apply, log } = this.#parts;
    this.#state = 'expired';
    this.#hosts = NONE_IN_USE;
    const place = placeOf(this.#config.url);
    const { nodesKeepSec } = this.#config;
    log.warn(
      { problem: this.#problem },
      `${place} has not told for ${nodesKeepSec} s which hosts are in use: retention goes on for all`,
    );
    apply(this.#hosts);
  }
}
