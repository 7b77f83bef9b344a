import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { WritePath } from '../feed.js';
import { folderBytes, freePort, memoryOf, StoreProcess, versionOf } from '../processes.js';
import type { Memory } from '../processes.js';
import { AnswerBuilder, CLUSTER, keyOf } from '../questions.js';
import type { Answer, Question, Selection } from '../questions.js';
import { partsOf } from '../series.js';
import type { Context, Disk, Load, Store } from '../store.js';

const PROGRAMS = '/usr/lib/postgresql';
const USER = 'postgres';
const SERIES_A_STATEMENT = 5000;
const BUFFER_BYTES = `
SELECT count(relfilenode) * current_setting('block_size')::int AS bytes FROM pg_buffercache`;
const TABLES = `
CREATE TABLE series (id int PRIMARY KEY, metric text, cluster text, host text, type text, type_id text);
CREATE TABLE samples (series int NOT NULL, time timestamptz NOT NULL, value float8 NOT NULL);
CREATE INDEX ON samples (series, time) INCLUDE (value);
`;

/** Where the newest installed version has its programs. */
export function findPostgresql(): string | undefined {
  if (!existsSync(PROGRAMS)) return undefined;
  const versions = readdirSync(PROGRAMS).sort((a, b) => Number(b) - Number(a));
  const folders = versions.map((version) => join(PROGRAMS, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'postgres')));
}

/** PostgreSQL: a plain table of samples, an index that holds all that is asked for, a table of series. */
export class Postgresql implements Store {
  readonly name = 'PostgreSQL';
  readonly settings =
    '`shared_buffers` a quarter of the memory, `synchronous_commit = off` (to the disk in less than a ' +
    'second), `max_wal_size = 8GB`, `jit = off`; a covering index (series, time) including value; ' +
    '`VACUUM ANALYZE` after the load; the series are registered before; the disk is without WAL';
  readonly tolerance = 1e-9;
  readonly jobsARequest = 1;
  readonly hasSeriesBefore = true;
  readonly version: string;
  readonly #programs: string;
  readonly #context: Context;
  #process: StoreProcess | undefined;
  #data = '';
  #port = 0;

  constructor(programs: string, context: Context) {
    this.#programs = programs;
    this.#context = context;
    this.version = versionOf(join(programs, 'postgres'), '--version');
  }

  get writePath(): WritePath {
    return { kind: 'copy', port: this.#port, user: USER };
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(folder: string): Promise<void> {
    this.#data = join(folder, 'data');
    const isNew = !existsSync(this.#data);
    if (isNew) this.#initialize();
    this.#port = await freePort();
    const quarter = Math.floor(totalmem() / 4 / 1024 ** 2);
    const settings = {
      shared_buffers: `${quarter}MB`,
      effective_cache_size: `${2 * quarter}MB`,
      synchronous_commit: 'off',
      max_wal_size: '8GB',
      checkpoint_timeout: '15min',
      jit: 'off',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.#data,
    };
    const [command, ...args] = asUser([
      join(this.#programs, 'postgres'),
      '-D',
      this.#data,
      '-p',
      String(this.#port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    this.#process = new StoreProcess(command!, args);
    await this.#process.untilReady(async () => {
      await this.#query('SELECT 1');
      return true;
    });
    if (isNew) await this.#register();
  }

  /** Fast shutdown: it does not wait for clients. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGINT');
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /**
   * Pages of its shared memory show in no process once those have ended that touched them: it tells
   * how many buffers have something in them.
   */
  async memory(): Promise<Memory> {
    const { bytes, fileBytes, sharedBytes } = memoryOf(this.pid);
    await this.#query('CREATE EXTENSION IF NOT EXISTS pg_buffercache');
    const [row] = await this.#query(BUFFER_BYTES);
    const inBuffers = Number(row!['bytes']);
    return { bytes: bytes - sharedBytes + inBuffers, fileBytes, sharedBytes: inBuffers };
  }

  async flush(): Promise<void> {
    await this.#query('VACUUM ANALYZE samples');
    await this.#query('CHECKPOINT');
  }

  disk(): Disk {
    const isCounted = (path: string): boolean => !path.startsWith('pg_wal');
    return { bytes: folderBytes(this.#data, isCounted), logBytes: 0 };
  }

  async count(): Promise<number> {
    const rows = await this.#query('SELECT count(*) FROM samples');
    return Number(rows[0]!['count']);
  }

  async ask(question: Question, index: number): Promise<Answer> {
    const { form, selections } = question;
    const answer = new AnswerBuilder();
    const names = form === 'series' ? this.#seriesNames(form) : undefined;
    for (const row of await this.#query(this.#statement(question, selections[index]!))) {
      if (form === 'series' || form === 'sum') {
        const key = names?.[Number(row['series'])] ?? selections[index]!.metrics[0]!;
        answer.point(key, Number(row['second']), Number(row['value']));
      } else {
        const [metric, host, id] = [row['metric'], row['host'], row['type_id']].map(String);
        const { avg, min, max } = row as Record<string, number>;
        const key = keyOf(form, metric!, host!, id!);
        answer.statistics.set(key, { avg: avg!, min: min!, max: max! });
      }
    }
    return answer;
  }

  load(question: Question): Load {
    const statements = question.selections.map((one) => this.#statement(question, one));
    return { kind: 'sql', port: this.#port, user: USER, statements };
  }

  #statement({ form }: Question, selection: Selection): string {
    const { metrics, hosts, type, id, fromSec, untilSec } = selection;
    const list = (values: readonly string[]): string => `ANY('{${values.join(',')}}')`;
    const where = [`s.cluster = '${CLUSTER}'`, `s.metric = ${list(metrics)}`, `s.type = '${type}'`];
    if (hosts) where.push(`s.host = ${list(hosts)}`);
    if (id !== undefined) where.push(`s.type_id = '${id}'`);
    where.push(`p.time >= to_timestamp(${fromSec})`, `p.time < to_timestamp(${untilSec})`);
    const second = 'extract(epoch FROM p.time)::int AS second';
    const statistics = 'avg(p.value), min(p.value), max(p.value)';
    const [what, end] = {
      series: [`p.series, ${second}, p.value`, 'ORDER BY p.series, p.time'],
      sum: [`${second}, sum(p.value) AS value`, 'GROUP BY p.time ORDER BY p.time'],
      statistics: [`s.metric, s.host, s.type_id, ${statistics}`, 'GROUP BY s.id'],
      job: [`s.metric, ${statistics}`, 'GROUP BY s.metric'],
    }[form] as [string, string];
    return (
      `SELECT ${what} FROM series s JOIN samples p ON p.series = s.id ` +
      `WHERE ${where.join(' AND ')} ${end}`
    );
  }

  #initialize(): void {
    mkdirSync(this.#data, { recursive: true });
    if (process.getuid?.() === 0) {
      const idOf = (flag: string): number =>
        Number(execFileSync('id', [flag, USER], { encoding: 'utf8' }));
      chownSync(this.#data, idOf('-u'), idOf('-g'));
    }
    const how = ['-D', this.#data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C'];
    const [command, ...args] = asUser([join(this.#programs, 'initdb'), ...how, '--no-sync']);
    execFileSync(command!, args, { stdio: 'pipe', cwd: '/' });
  }

  /** The number of a series is its place in the workload; see `firstSeriesOf`. */
  async #register(): Promise<void> {
    await this.#query(TABLES);
    const rows = this.#context.written.batches.flatMap(({ cluster, host, lineOf }) =>
      [...lineOf.keys()].map((name) => ({ cluster, host, ...partsOf(name) })),
    );
    for (let at = 0; at < rows.length; at += SERIES_A_STATEMENT) {
      const values = rows
        .slice(at, at + SERIES_A_STATEMENT)
        .map(({ metric, cluster, host, type, id }, i) => {
          return `(${at + i + 1},'${metric}','${cluster}','${host}','${type}','${id}')`;
        });
      await this.#query(`INSERT INTO series VALUES ${values.join(',')}`);
    }
    await this.#query('CREATE INDEX ON series (host, metric, type); ANALYZE series');
  }

  #seriesNames(form: Question['form']): string[] {
    const { batches } = this.#context.written;
    const names = batches.flatMap(({ host, lineOf }) =>
      [...lineOf.keys()].map((name) => {
        const { metric, id } = partsOf(name);
        return keyOf(form, metric, host, id);
      }),
    );
    return ['', ...names];
  }

  async #query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.#port,
      user: USER,
      database: USER,
    });
    await client.connect();
    try {
      const { rows } = await client.query(text);
      return rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }
}

/** It does not run as root. */
function asUser(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command];
  return ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--init-groups', ...command];
}
