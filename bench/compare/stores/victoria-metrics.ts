import { join } from 'node:path';
import type { WritePath } from '../feed.js';
import { folderBytes, freePort } from '../processes.js';
import type { Question } from '../questions.js';
import { fetchText, type Context, type Disk, type Load, type Store } from '../store.js';
import { PromqlServer } from './promql-server.js';
import { selectorOf, STATISTICS } from './promql.js';
import type { Dialect } from './promql.js';

/** MetricsQL keeps names, and `rollup` is minimum, maximum and average in one pass. */
const DIALECT: Dialect = {
  idSelector: 'type\\-id',
  idLabel: 'type-id',
  statistics: (selection, range, isJob) => {
    const window = `${selectorOf(DIALECT, selection, selection.metrics)}[${range}]`;
    if (!isJob) return `rollup(${window}) keep_metric_names`;
    const terms = STATISTICS.map((stat) => {
      const one = `${stat}_over_time(${window}) keep_metric_names`;
      return `label_set(${stat}(${one}) by (__name__),"stat","${stat}")`;
    });
    return `union(${terms.join(',')})`;
  },
};

/** VictoriaMetrics, single node, written to by Influx' line protocol. */
export class VictoriaMetrics extends PromqlServer implements Store {
  readonly name = 'VictoriaMetrics';
  readonly settings =
    '`-influxSkipSingleField`; `-search.latencyOffset=0s`, so that the newest minute is shown; ' +
    'its cache of results stays on';
  readonly tolerance = 1e-9;
  protected readonly dialect = DIALECT;

  constructor(program: string, context: Context) {
    super(program, '-version', context);
  }

  get writePath(): WritePath {
    return { kind: 'lines', port: this.port, path: '/write?precision=s' };
  }

  async start(folder: string): Promise<void> {
    this.folder = folder;
    this.port = await freePort();
    const args = [
      `-storageDataPath=${join(folder, 'data')}`,
      `-httpListenAddr=127.0.0.1:${this.port}`,
      `-retentionPeriod=${Math.ceil(this.context.retentionSec / 86_400)}d`,
      '-influxSkipSingleField',
      '-search.latencyOffset=0s',
      '-loggerLevel=ERROR',
    ];
    await this.run(args, '/health');
  }

  override stop(): Promise<void> {
    return super.stop('SIGINT');
  }

  async flush(): Promise<void> {
    for (const path of ['/internal/force_flush', '/internal/force_merge']) {
      await fetchText(this.port, { method: 'GET', path, headers: {}, body: '' });
    }
  }

  disk(): Disk {
    return { bytes: folderBytes(join(this.folder, 'data')), logBytes: 0 };
  }

  loadAnew(question: Question): Load {
    const requests = this.requestsOf(question).map((request) => ({
      ...request,
      body: `${request.body}&nocache=1`,
    }));
    return { kind: 'http', port: this.port, requests };
  }
}
