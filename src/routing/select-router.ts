import {
  checkForm,
  headOf,
  isTable,
  problemError,
  problemText,
  SEPARATORS,
  tailOf,
  type OutputForm,
} from '../../workers/output/forms.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { HostSet } from '../model/host-list.js';
import type { SelectRequest } from '../model/selection.js';
import type { ShardAnswer } from '../protocol/messages.js';
import { limitError, limitPassed, type QueryCounts } from '../protocol/query-limits.js';
import type { PartialGroup, SelectProblem, SelectSummary, SelectTask } from '../protocol/select.js';
import type { LowPriority } from './low-priority.js';
import { checkArchive, type ArchiveTarget, type QueryTarget } from './query-port.js';
import { mergeProblems } from './select-problems.js';
import type { RunningSelect, Selections, SelectSink } from './store.js';

/** Requests for more hosts than this go to all shards. */
const NAMED_HOSTS_MAX = 10_000;

/** Sends selections to the shards that may have hosts of them, and what comes back to the client. */
export class SelectRouter implements Selections {
  readonly #shards: readonly QueryTarget[];
  readonly #shardOf: (cluster: string, host: string) => number;
  readonly #limits: Limits;
  readonly #nextId: () => number;
  readonly #archive: ArchiveTarget | undefined;
  readonly #low: LowPriority;
  #streams = 0;

  constructor(
    shards: readonly QueryTarget[],
    shardOf: (cluster: string, host: string) => number,
    limits: Limits,
    nextId: () => number,
    archive: ArchiveTarget | undefined,
    low: LowPriority,
  ) {
    this.#low = low;
    this.#archive = archive;
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#limits = limits;
    this.#nextId = nextId;
  }

  select(request: SelectRequest, form: OutputForm, sink: SelectSink, isLow = false): RunningSelect {
    checkForm(form, request);
    checkArchive(request, this.#archive);
    const archive = this.#archive;
    // Asked again when the answer is there: it may have left memory meanwhile.
    const otherTarget = (): QueryTarget | undefined =>
      archive?.needed(request.archive)(request) ? archive : undefined;
    const limits = this.#limits;
    const nextId = this.#nextId;
    const target = otherTarget();
    const targets = target ? [target] : this.#shardsOf(request);
    const answer = this.#begin({ request, form, sink, isLow, limits, nextId, otherTarget });
    answer.ask(targets);
    return answer;
  }

  #begin(parts: AnswerParts): PendingAnswer {
    const { streamsMax } = this.#limits;
    if (parts.form !== 'json' && this.#streams >= streamsMax) {
      const what = `${streamsMax} answers are streamed already`;
      const then = 'send it again in a moment, or ask for JSON';
      throw new StoreError(
        'queue-full',
        `${what}: the limit streams-max is ${streamsMax}; ${then}`,
      );
    }
    const leave = parts.isLow ? this.#low.enter() : () => undefined;
    if (parts.form === 'json') return new WholeAnswer(parts, leave);
    this.#streams++;
    return new StreamedAnswer(parts, () => {
      this.#streams--;
      leave();
    });
  }

  /** Those that own the hosts named, or all. */
  #shardsOf({ clusters, select }: SelectRequest): readonly QueryTarget[] {
    if (this.#shards.length === 1) return this.#shards;
    const indexes = new Set<number>();
    for (const { hosts } of select) {
      const names = hosts && HostSet.parse(hosts, this.#limits.seriesMax).names;
      if (!names || names.length > NAMED_HOSTS_MAX) return this.#shards;
      for (const cluster of clusters) {
        for (const name of names) indexes.add(this.#shardOf(cluster, name));
      }
    }
    return indexes.size === 0 ? this.#shards : [...indexes].map((index) => this.#shards[index]!);
  }
}

/** A shard's share of an answer. */
interface Share {
  readonly shard: QueryTarget;
  readonly id: number;
  /** Where the answer is wanted as a whole: what has come. */
  readonly pieces: Buffer[];
  /** In what has come. */
  points: number;
  summary: SelectSummary | undefined;
}

interface AnswerParts {
  readonly request: SelectRequest;
  readonly form: OutputForm;
  readonly sink: SelectSink;
  readonly isLow: boolean;
  readonly limits: Limits;
  readonly nextId: () => number;
  /** What has to answer instead of the shards; undefined: they have it all. */
  readonly otherTarget: () => QueryTarget | undefined;
}

/** What streamed and whole answers have in common: asking, failing, and groups of several shards. */
abstract class PendingAnswer implements RunningSelect {
  protected readonly shares: Share[] = [];
  protected readonly request: SelectRequest;
  protected readonly form: OutputForm;
  protected readonly sink: SelectSink;
  protected readonly limits: Limits;
  readonly #isLow: boolean;
  readonly #nextId: () => number;
  readonly #otherTarget: () => QueryTarget | undefined;
  readonly #whenOver: () => void;
  #isOver = false;
  #waiting = 0;
  /** Shards that have a share of their own. */
  #asked = 0;
  #isFinishing = false;
  #targets: readonly QueryTarget[] = [];

  /** `whenOver` is called once, whatever becomes of it. */
  constructor(parts: AnswerParts, whenOver: () => void) {
    this.request = parts.request;
    this.form = parts.form;
    this.sink = parts.sink;
    this.limits = parts.limits;
    this.#isLow = parts.isLow;
    this.#nextId = parts.nextId;
    this.#otherTarget = parts.otherTarget;
    this.#whenOver = whenOver;
  }

  protected abstract take(share: Share, bytes: Uint8Array): void;
  protected abstract complete(): void;
  protected abstract failed(error: StoreError): void;
  /** Forgets what has come; false if it is on its way to the client. */
  protected abstract restart(): boolean;
  abstract drained(): void;

  ask(shards: readonly QueryTarget[]): void {
    const isShared = shards.length > 1;
    this.#targets = shards;
    this.#waiting = shards.length;
    this.#asked = shards.length;
    for (const shard of shards) {
      this.#send(shard, isShared, undefined);
      // One that does not serve says so at once; nobody would take what the others make.
      if (this.#isOver) return;
    }
  }

  cancel(): void {
    if (!this.#end()) return;
    for (const { shard, id, summary } of this.shares) if (!summary) shard.cancel(id);
  }

  /** False if it is over already. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#whenOver();
    return true;
  }

  #send(shard: QueryTarget, isShared: boolean, finish: readonly PartialGroup[] | undefined): void {
    const share: Share = { shard, id: this.#nextId(), pieces: [], points: 0, summary: undefined };
    this.shares.push(share);
    const { request: select, form } = this;
    const isLow = this.#isLow;
    const task: SelectTask = { id: share.id, select, form, isShared, finish, isLow };
    shard.query(task, {
      onPiece: (bytes, points) => {
        share.points = points;
        if (!this.#isOver) this.take(share, bytes);
      },
      done: (answer) => this.#done(share, answer),
    });
  }

  #done(share: Share, answer: ShardAnswer | StoreError): void {
    if (this.#isOver) return;
    const error =
      answer instanceof StoreError ? answer : answer.error && StoreError.fromData(answer.error);
    if (error) {
      this.fail(error);
      return;
    }
    share.summary = (answer as ShardAnswer).select!;
    if (--this.#waiting > 0) return;
    const partials = this.summaries().flatMap((summary) => summary.partials);
    if (this.#isFinishing || partials.length === 0) this.#checkWhole();
    else {
      this.#isFinishing = true;
      this.#waiting = 1;
      // A shard that has a part of it knows the metric.
      const { shard } = this.shares.find(({ summary }) => summary!.partials.length > 0)!;
      this.#send(shard, false, partials);
    }
  }

  /** What was asked for may have left memory for the archive before all shards had read it. */
  #checkWhole(): void {
    const other = this.#otherTarget();
    if (!other || this.#targets.includes(other)) this.#complete();
    else if (this.restart()) {
      this.shares.length = 0;
      this.#isFinishing = false;
      this.ask([other]);
    } else {
      const message = 'samples asked for went to the archive meanwhile; send it again';
      this.fail(new StoreError('queue-full', message));
    }
  }

  #complete(): void {
    const points = this.summaries().reduce((sum, summary) => sum + summary.points, 0);
    const counts = { queries: 0, series: 0, points, bytes: 0 };
    const error = this.form === 'json' ? this.limitPassed(counts) : undefined;
    if (error) this.fail(error);
    else if (this.#end()) this.complete();
  }

  protected fail(error: StoreError): void {
    this.cancel();
    this.failed(error);
  }

  protected limitPassed(counts: QueryCounts): StoreError | undefined {
    return limitError(counts, this.limits);
  }

  protected summaries(): SelectSummary[] {
    return this.shares.flatMap(({ summary }) => summary ?? []);
  }

  protected resultCount(): number {
    return this.summaries().reduce(
      (sum, { results }) => sum + results.reduce((a, b) => a + b, 0),
      0,
    );
  }

  /** What a client is told: absence only where no shard has anything. */
  protected problems(): SelectProblem[] {
    const summaries = this.summaries();
    const found = this.request.select.map((_, select) =>
      summaries.some(({ results }) => results[select]! > 0),
    );
    return mergeProblems(
      summaries.flatMap(({ problems }) => problems),
      this.#asked,
    ).filter(({ select, absence }) => !absence || !found[select]);
  }
}

/** An answer that is sent when all of it is there. */
class WholeAnswer extends PendingAnswer {
  #bytes = 0;

  protected take({ pieces }: Share, bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const counts = { queries: 0, series: 0, points: 0, bytes: this.#bytes };
    const error = this.limitPassed(counts);
    if (error) this.fail(error);
    else pieces.push(Buffer.from(bytes));
  }

  drained(): void {
    // It is sent at once.
  }

  protected restart(): boolean {
    this.#bytes = 0;
    return true;
  }

  protected complete(): void {
    const entries = this.shares.length === 1 ? this.shares[0]!.pieces : this.#inOrder();
    const separator = Buffer.from(SEPARATORS[this.form]);
    const parts = entries.flatMap((entry, index) => (index === 0 ? [entry] : [separator, entry]));
    const head = headOf(this.form, this.request);
    this.sink.deliver({
      ok: true,
      bytes: Buffer.concat([head, ...parts, tailOf(this.form, this.problems())]),
    });
  }

  /** Results of all shards, host by host. */
  #inOrder(): Buffer[] {
    const entries: { key: string; bytes: Buffer }[] = [];
    for (const { pieces, summary } of this.shares) {
      const text = Buffer.concat(pieces);
      let from = 0;
      for (const { key, end } of summary!.marks) {
        if (end > from) entries.push({ key, bytes: text.subarray(from, end) });
        from = end;
      }
    }
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return entries.map(({ bytes }) => bytes);
  }

  protected failed(error: StoreError): void {
    this.sink.deliver({ ok: false, error });
  }
}

/** An answer that is sent as it is made. Shards go on when the client has taken what they made. */
class StreamedAnswer extends PendingAnswer {
  #hasBegun = false;
  readonly #untaken: Share[] = [];

  protected take(share: Share, bytes: Uint8Array): void {
    const error = this.#limitPassed();
    if (error) {
      this.fail(error);
      return;
    }
    this.#begin();
    if (this.sink.write(bytes)) share.shard.taken(share.id);
    else this.#untaken.push(share);
  }

  drained(): void {
    for (const { shard, id } of this.#untaken.splice(0)) shard.taken(id);
  }

  protected restart(): boolean {
    return !this.#hasBegun;
  }

  /** A shard knows of its own points only. */
  #limitPassed(): StoreError | undefined {
    const { streamPointsMax } = this.limits;
    const points = this.shares.reduce((sum, share) => sum + share.points, 0);
    if (points <= streamPointsMax) return undefined;
    const what = `more than ${streamPointsMax} points in one answer`;
    return limitPassed(what, 'stream-points-max', streamPointsMax);
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.sink.write(headOf(this.form, this.request));
  }

  protected complete(): void {
    const problems = this.problems();
    if (isTable(this.form)) {
      const [first] = problems;
      // Amid a table there is no place for it.
      if (first && this.resultCount() === 0) {
        this.failed(problemError(first));
        return;
      }
      this.#begin();
    } else {
      this.#begin();
      const lines = problems.map((problem) => `${problemText(problem)}\n`).join('');
      if (lines !== '') this.sink.write(Buffer.from(lines));
    }
    this.sink.write(tailOf(this.form, problems));
    this.sink.end();
  }

  protected failed(error: StoreError): void {
    if (this.#hasBegun) this.sink.abort(error);
    else this.sink.deliver({ ok: false, error });
  }
}
