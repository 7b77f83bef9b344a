import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WritePath } from '../feed.js';
import { folderBytes, freePort } from '../processes.js';
import type { Answer, Question } from '../questions.js';
import { metricsOf } from '../series.js';
import { fetchText, type Context, type Disk, type Load, type Store } from '../store.js';
import { StoreServer } from './store-server.js';
import { countNative, nativeRequest, readNative } from './native.js';

/** Numbers are float32 in it, and answers cut to three decimals, statistics to two. */
const TOLERANCE = 1e-4;
const STATISTICS_TOLERANCE = 1e-3;

/** The reference, from a binary that is named; once for each of its forms of checkpoints. */
export class CcMetricStore extends StoreServer implements Store {
  readonly name: string;
  readonly settings: string;
  readonly tolerance = TOLERANCE;
  readonly statisticsTolerance = STATISTICS_TOLERANCE;
  readonly #format: 'wal' | 'json';

  constructor(program: string, format: 'wal' | 'json', context: Context) {
    super(program, '-version', context);
    this.#format = format;
    this.name = format === 'wal' ? 'cc-metric-store' : 'cc-metric-store (json)';
    this.settings =
      format === 'wal'
        ? '`file-format: wal`, its default: a log of all samples'
        : '`file-format: json`: no log, what came since the last checkpoint is lost in a crash';
  }

  get writePath(): WritePath {
    return { kind: 'lines', port: this.port, path: '/api/write/' };
  }

  async start(folder: string): Promise<void> {
    this.folder = join(folder, 'checkpoints');
    this.port = await freePort();
    mkdirSync(this.folder, { recursive: true });
    const { written, retentionSec } = this.context;
    const frequency = written.stepSec;
    const file = join(folder, 'config.json');
    const config = {
      main: { addr: `127.0.0.1:${this.port}` },
      metrics: Object.fromEntries(
        metricsOf(written.batches).map((metric) => [
          metric,
          { frequency, aggregation: metric === 'flops_any' ? 'sum' : 'avg' },
        ]),
      ),
      'metric-store': {
        'retention-in-memory': `${Math.ceil(retentionSec / 3600)}h`,
        'checkpoint-interval': '12h',
        checkpoints: { 'file-format': this.#format, directory: this.folder },
        cleanup: { mode: 'delete' },
      },
    };
    writeFileSync(file, JSON.stringify(config));
    // Any answer says that it listens, but for one that says itself that it is too early.
    await this.run(['-config', file], '/api/query', ({ status }) => status !== 503);
  }

  /** It makes checkpoints by the clock and at its end only. */
  async flush(): Promise<void> {}

  disk(): Disk {
    const isLog = (path: string): boolean => path.endsWith('.wal');
    return { bytes: folderBytes(this.folder), logBytes: folderBytes(this.folder, isLog) };
  }

  count(untilSec: number): Promise<number> {
    return countNative(this.port, this.context.written, untilSec, TOLERANCE);
  }

  async ask(question: Question, index: number): Promise<Answer> {
    const { written } = this.context;
    const selection = question.selections[index]!;
    const text = await fetchText(this.port, nativeRequest(written, question, selection));
    return readNative(written, question, selection, text);
  }

  load(question: Question): Load {
    const { written } = this.context;
    const requests = question.selections.map((one) => nativeRequest(written, question, one));
    return { kind: 'http', port: this.port, requests };
  }
}
