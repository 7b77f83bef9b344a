import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WritePath } from '../feed.js';
import { folderBytes, freePort } from '../processes.js';
import type { Context, Disk, Store } from '../store.js';
import { PromqlServer } from './promql-server.js';
import { selectorOf, STATISTICS } from './promql.js';
import type { Dialect } from './promql.js';

/**
 * PromQL forgets the name of a metric where it takes statistics, and refuses two series of the same
 * labels then: so there is a term for each metric and statistic, all in one question.
 */
const DIALECT: Dialect = {
  idSelector: 'type_id',
  idLabel: 'type_id',
  statistics: (selection, range, isJob) =>
    selection.metrics
      .flatMap((metric) =>
        STATISTICS.map((stat) => {
          const one = `${stat}_over_time(${selectorOf(DIALECT, selection, [metric])}[${range}])`;
          const all = isJob ? `${stat}(${one})` : one;
          const named = `label_replace(${all},"metric","${metric}","","")`;
          return `label_replace(${named},"stat","${stat}","","")`;
        }),
      )
      .join(' or '),
};
/** With several connections a host's rounds may arrive in another order. */
const CONFIG = `global:
  scrape_interval: 1h
storage:
  tsdb:
    out_of_order_time_window: 1h
`;

/** Prometheus, written to by remote write. */
export class Prometheus extends PromqlServer implements Store {
  readonly name = 'Prometheus';
  readonly settings =
    '`--web.enable-remote-write-receiver`, nothing scraped, `out_of_order_time_window: 1h`; ' +
    'blocks of 2 h, its default';
  readonly tolerance = 1e-9;
  protected readonly dialect = DIALECT;

  constructor(program: string, context: Context) {
    super(program, '--version', context);
  }

  get writePath(): WritePath {
    return { kind: 'remote-write', port: this.port, path: '/api/v1/write' };
  }

  async start(folder: string): Promise<void> {
    this.folder = folder;
    this.port = await freePort();
    const config = join(folder, 'prometheus.yml');
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(config, CONFIG);
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--storage.tsdb.retention.time=${this.context.retentionSec}s`,
      `--web.listen-address=127.0.0.1:${this.port}`,
      '--web.enable-remote-write-receiver',
      '--log.level=error',
    ];
    await this.run(args, '/-/ready');
  }

  /** Blocks are written when their time has come; what is younger stays in the log. */
  async flush(): Promise<void> {}

  disk(): Disk {
    const data = join(this.folder, 'data');
    const isLog = (path: string): boolean => /^(wal|wbl|chunks_head)\//.test(path);
    return { bytes: folderBytes(data), logBytes: folderBytes(data, isLog) };
  }
}
