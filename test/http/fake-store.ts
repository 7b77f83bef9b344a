import type { CataloguePage, CatalogueRequest } from '../../src/model/catalogue.js';
import { StoreError } from '../../src/model/errors.js';
import type { SelectRequest } from '../../src/model/selection.js';
import type { RunningSelect, Selections, SelectSink } from '../../src/routing/store.js';
import { RejectedLines } from '../../src/routing/rejected-lines.js';
import type { OutputForm } from '../../workers/output/forms.js';
import type {
  ArchiveSummary,
  CheckpointSummary,
  ReconfigureSummary,
  HealthRequest,
  HostHealth,
  Inspection,
  NodeHealth,
  QueryAnswer,
  Store,
  StoreStatus,
  UnitMismatches,
  WriteOptions,
  WriteSession,
  WriteSummary,
} from '../../src/routing/store.js';

/** What became of one body. */
export interface TakenBody {
  readonly options: WriteOptions;
  readonly chunks: Buffer[];
  pauses: number;
  state: 'open' | 'finished' | 'aborted';
}

/**
 * A store that keeps bodies as they came, for the tests of the HTTP layer alone. A line with the
 * word `bad` is rejected. What a query answers is told by the first word of its text.
 */
export class FakeStore implements Store {
  readonly shardCount = 1;
  readonly rejectedLines = new RejectedLines();
  readonly bodies: TakenBody[] = [];
  readonly freed: { selectors: readonly (readonly string[])[]; toSec: number }[] = [];
  readonly healthAsked: HealthRequest[] = [];
  readonly listed: CatalogueRequest[] = [];
  readonly hostHealth: HostHealth = {
    reports: [undefined],
    watch: () => undefined,
    page: () => Promise.resolve({ entries: [], next: null }),
  };
  ready = true;
  /** Thrown by `beginWrite`. */
  refusal: StoreError | undefined;
  /** True: each push answers that there is no room, which there is 2 ms later. */
  isSlow = false;
  /** Awaited by `finish`. */
  gate: Promise<void> = Promise.resolve();
  readonly #memory = new Uint8Array(new SharedArrayBuffer(8 * 1024 * 1024));

  turnTimes(): [] {
    return [];
  }

  selections(): Promise<Selections> {
    const select = (
      _request: SelectRequest,
      _form: OutputForm,
      sink: SelectSink,
    ): RunningSelect => {
      sink.deliver({ ok: true, bytes: Buffer.from('{"results":[]}') });
      return { drained: () => undefined, cancel: () => undefined };
    };
    return Promise.resolve({ select });
  }

  versionOf(): string | undefined {
    return undefined;
  }

  jobStats(): Promise<Uint8Array> {
    return Promise.resolve(Buffer.from('{"jobs":[]}'));
  }

  beginWrite(options: WriteOptions): WriteSession {
    if (this.refusal) throw this.refusal;
    const body: TakenBody = { options, chunks: [], pauses: 0, state: 'open' };
    this.bodies.push(body);
    const session: WriteSession = {
      onDrain: undefined,
      push: (chunk) => {
        body.chunks.push(Buffer.from(chunk));
        if (!this.isSlow) return true;
        body.pauses++;
        setTimeout(() => session.onDrain?.(), 2);
        return false;
      },
      finish: async () => {
        await this.gate;
        body.state = 'finished';
        return summarize(Buffer.concat(body.chunks).toString());
      },
      abort: () => {
        body.state = 'aborted';
      },
    };
    return session;
  }

  query(text: string, deliver: (answer: QueryAnswer) => void): void {
    const [word, argument = ''] = text.split(' ');
    if (word === 'throw') throw new TypeError('a mistake in the store');
    if (word === 'error') {
      deliver({ ok: false, error: new StoreError('limit-exceeded', 'points-max is 7') });
    } else if (word === 'full') {
      deliver({ ok: false, error: new StoreError('queue-full', 'no room') });
    } else if (word === 'slow') setTimeout(() => this.#deliver('{}', deliver), Number(argument));
    else if (word === 'large') this.#deliver(largeJson(Number(argument)), deliver);
    else this.#deliver(JSON.stringify({ echo: text }), deliver);
  }

  /** As a shard: the text lies in shared memory that is used again at once. */
  #deliver(json: string, deliver: (answer: QueryAnswer) => void): void {
    const { written } = new TextEncoder().encodeInto(json, Buffer.from(this.#memory.buffer));
    const view = this.#memory.subarray(0, written);
    deliver({ ok: true, json: view });
    view.fill(0x21);
  }

  async free(selectors: readonly (readonly string[])[], toSec: number): Promise<number> {
    this.freed.push({ selectors, toSec });
    return 3;
  }

  async inspection(): Promise<Inspection> {
    throw new StoreError('shard-unavailable', 'there are no shards to look into');
  }

  async debug(selector: readonly string[]): Promise<string> {
    if (selector[0] === 'unknown') throw new StoreError('bad-request', 'no level unknown');
    return JSON.stringify({ selector });
  }

  async catalogue(request: CatalogueRequest): Promise<CataloguePage> {
    this.listed.push(request);
    return { entries: [], next: request.after.length === 0 ? ['a', 'b'] : null };
  }

  async health(request: HealthRequest): Promise<Record<string, NodeHealth>> {
    this.healthAsked.push(request);
    return {
      n1: { state: 'full', metrics: { degraded: [], missing: [] } },
      n2: { state: 'failed' },
    };
  }

  async unitMismatches(): Promise<UnitMismatches> {
    return { mismatches: [], linesNotListed: 0 };
  }

  async archive(): Promise<ArchiveSummary[]> {
    return [];
  }

  async reconfigure(): Promise<ReconfigureSummary> {
    return { metrics: { added: [], removed: [], changed: [] }, shards: [] };
  }

  async checkpoint(): Promise<CheckpointSummary[]> {
    return [];
  }

  status(): StoreStatus {
    const counters = { samples_total: 5, series_current: 2, 'rejected:too-old': 1 };
    return { ready: this.ready, shards: [{ index: 0, ready: this.ready, restarts: 0, counters }] };
  }

  async stop(): Promise<void> {}
}

/** A JSON text of exactly `bytes`. */
export function largeJson(bytes: number): string {
  return `{"data":"${'0123456789'.repeat(Math.ceil(bytes / 10)).slice(0, bytes - 11)}"}`;
}

function summarize(text: string): WriteSummary {
  const lines = text.split('\n').filter((line) => line !== '');
  const first = lines.flatMap((line, index) =>
    line.includes('bad') ? [{ line: index + 1, column: 4, reason: 'no value' }] : [],
  );
  const rejected = first.length;
  return { written: lines.length - rejected, ignored: 0, rejected, first: first.slice(0, 10) };
}
