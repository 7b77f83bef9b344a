import { parseArgs } from 'node:util';
import { parseStep, parseTime } from '../../src/model/time-expression.js';
import { withNegativeValues } from '../arguments.js';
import {
  DESTINATION_FLAGS,
  DESTINATION_USAGE,
  destinationOf,
  type DestinationOptions,
} from '../destinations/destination-flags.js';
import { CHECKPOINT_FORMATS, type CheckpointFormat } from './checkpoints.js';
import { clusterTopology } from './cluster-topology.js';
import { parseFaults } from './faults.js';
import { MadeUpData } from './made-up-data.js';
import { HOSTS_MAX, madeTopology } from './made-topology.js';
import type { Topology } from './topology.js';

export const USAGE = `usage: generate [--out FILE | --url URL | --nats URL | --checkpoints DIR | --live] [options]

Makes up what the nodes of a cluster send: jobs that come and go, counters, temperatures, and what goes
wrong on the way. The same flags with --from give the same bytes on every machine.

Where it goes
  --out FILE         a file, packed if it ends with .gz or .zst; - is the standard output (the default)
${DESTINATION_USAGE}
  --checkpoints DIR  files of cc-metric-store, for an import; --format json (default), bin or wal
  --live             into a store, default http://127.0.0.1:8082: first the last hour, then what each node
                     sends when its time comes, until Ctrl-C. --history 6h: so much of the past
  --print-config     prints what a store's configuration needs to know of it, and ends

What it is of
  --cluster-file F   a cluster.json of cc-backend, or the folder of a job archive; may be repeated
  --clusters N       without a file: how many, or names with commas; default 1
  --hosts N          of each cluster: how many, or a host list such as a[0101-0116]; default 16. With a
                     file: the most that are taken of a cluster, default all
  --sockets, --cores, --threads, --accelerators, --filesystems, --networks N   of a node; default 2, as many
                     as threads, 16, 2, 2 and 2. With a file only what it does not tell
  --coarse           with a file: metrics of threads and cores come by socket, for large clusters
  --metrics N        how many, or names with commas; default 19
  --step 10s         of all metrics; default a minute, or what the file says

When, how much, what goes wrong
  --from TIME        Unix seconds, 2026-11-26T12:00:00Z or -6h; default an hour ago. --to TIME, default now
  --rounds N         in place of --to: so many times the longest step
  --rate N           lines a second; without it as fast as they are taken
  --batch LINES      lines of one request, at least, as what a host sends is not cut; default 5000
  --seed N           default 1
  --faults LIST      none, default, heavy, or rates such as gap=0.01,late=0.02 (see scripts/generator/README.md)
Exit code 0 if all was sent and nothing rejected but what was meant to be, 1 if not, 2 for a wrong call.`;

/** What is to be done. */
export interface GenerateOptions {
  readonly topology: Topology;
  readonly data: MadeUpData;
  readonly seed: number;
  readonly fromSec: number;
  readonly untilSec: number;
  readonly rate: number;
  readonly batchLines: number;
  readonly task:
    | { readonly kind: 'print-config' }
    | {
        readonly kind: 'checkpoints';
        readonly directory: string;
        readonly format: CheckpointFormat;
      }
    | { readonly kind: 'send'; readonly destination: DestinationOptions }
    | {
        readonly kind: 'live';
        readonly destination: DestinationOptions;
        readonly historySec: number;
      };
}

const URL_DEFAULT = 'http://127.0.0.1:8082';
const HOUR_SEC = 3600;
const PARTS_MAX = 4096;
const LINES_MAX = 1_000_000;
/** Slots are 32-bit, and so is what is hashed of them. */
const TIME_SEC_MAX = 2 ** 32 - 1;

const FLAGS = {
  ...DESTINATION_FLAGS,
  out: { type: 'string' },
  checkpoints: { type: 'string' },
  format: { type: 'string' },
  live: { type: 'boolean' },
  history: { type: 'string' },
  'print-config': { type: 'boolean' },
  'cluster-file': { type: 'string', multiple: true },
  coarse: { type: 'boolean' },
  clusters: { type: 'string' },
  hosts: { type: 'string' },
  sockets: { type: 'string' },
  cores: { type: 'string' },
  threads: { type: 'string' },
  accelerators: { type: 'string' },
  filesystems: { type: 'string' },
  networks: { type: 'string' },
  metrics: { type: 'string' },
  step: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  rounds: { type: 'string' },
  rate: { type: 'string' },
  batch: { type: 'string' },
  seed: { type: 'string' },
  faults: { type: 'string' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

/**
 * Reads the command line and the files it names.
 *
 * @throws Error that says what is wrong.
 */
export function parseGenerateArgs(argv: readonly string[], nowSec: number): GenerateOptions {
  const { values } = parseArgs({ args: withNegativeValues(argv), options: FLAGS });
  const task = taskOf(values);
  const seed = integer(values, 'seed', 1, 0, TIME_SEC_MAX);
  const topology = topologyOf(values);
  const faults = parseFaults(values.faults ?? 'default');
  const isLive = task.kind === 'live';
  // Nobody compares what is live: spread over the step, it is an even load as of a real cluster.
  const data = new MadeUpData(topology, { seed, faults, ...(isLive && { phase: 1 }) });
  return {
    topology,
    data,
    seed,
    ...rangeOf(values, data.roundSec, nowSec, isLive),
    rate: integer(values, 'rate', 0, 1, 1e9),
    batchLines: integer(values, 'batch', 5000, 1, LINES_MAX),
    task,
  };
}

function taskOf(values: Values): GenerateOptions['task'] {
  const kinds = (['print-config', 'checkpoints', 'live'] as const).filter(
    (flag) => values[flag] !== undefined,
  );
  if (kinds.length > 1) throw new Error(`--${kinds.join(' or --')}, not both`);
  const kind = kinds.at(0) ?? 'send';
  onlyWith(values, 'format', '--checkpoints', kind === 'checkpoints');
  onlyWith(values, 'history', '--live', kind === 'live');
  if (kind === 'live') {
    onlyWith(values, 'out', 'what is not --live', false);
    for (const flag of ['from', 'to', 'rounds', 'rate'] as const) {
      onlyWith(values, flag, 'what is not --live', false);
    }
    const destination = destinationOf({
      ...values,
      ...(values.nats === undefined && { url: values.url ?? URL_DEFAULT }),
    });
    const history = values.history ?? String(HOUR_SEC);
    const historySec = history === '0' ? 0 : parseStep(history, '--history');
    return { kind, destination, historySec };
  }
  const isSent = values.url !== undefined || values.nats !== undefined;
  if (kind === 'send') {
    const file = values.out ?? (isSent ? undefined : '-');
    return { kind, destination: destinationOf(values, file) };
  }
  if (isSent || values.out !== undefined) throw new Error(`--${kind} sends nothing anywhere`);
  if (kind === 'print-config') return { kind };
  const format = CHECKPOINT_FORMATS.find((known) => known === (values.format ?? 'json'));
  if (!format) throw new Error(`--format ${values.format}: not ${CHECKPOINT_FORMATS.join(', ')}`);
  return { kind, directory: values.checkpoints!, format };
}

function topologyOf(values: Values): Topology {
  const part = (flag: keyof Values, without: number): number =>
    integer(values, flag, without, 0, PARTS_MAX);
  const files = values['cluster-file'] ?? [];
  const threads = part('threads', 16);
  const common = {
    sockets: part('sockets', 2),
    threads,
    accelerators: part('accelerators', 2),
    stepSec: values.step === undefined ? 0 : parseStep(values.step, '--step'),
  };
  if (files.length === 0) {
    onlyWith(values, 'coarse', '--cluster-file', false);
    return madeTopology({
      ...common,
      clusters: values.clusters ?? '1',
      hosts: values.hosts ?? '16',
      cores: part('cores', threads),
      filesystems: part('filesystems', 2),
      networks: part('networks', 2),
      metrics: values.metrics ?? '19',
      stepSec: common.stepSec || 60,
    });
  }
  for (const flag of ['clusters', 'cores', 'metrics'] as const) {
    onlyWith(values, flag, 'what is made without --cluster-file', false);
  }
  return clusterTopology(files, {
    ...common,
    filesystems: part('filesystems', 0),
    networks: part('networks', 0),
    isCoarse: values.coarse === true,
    hostsMax: integer(values, 'hosts', HOSTS_MAX, 1, HOSTS_MAX),
  });
}

function rangeOf(
  values: Values,
  roundSec: number,
  nowSec: number,
  isLive: boolean,
): { fromSec: number; untilSec: number } {
  if (isLive) return { fromSec: 0, untilSec: 0 };
  const rounds = integer(values, 'rounds', 0, 1, TIME_SEC_MAX);
  if (rounds > 0 && values.to !== undefined) throw new Error('--to or --rounds, not both');
  const asked = (flag: 'from' | 'to'): number | undefined =>
    values[flag] === undefined ? undefined : parseTime(values[flag], `--${flag}`, nowSec).sec;
  const lengthSec = rounds > 0 ? rounds * roundSec : HOUR_SEC;
  const fromSec = asked('from') ?? (asked('to') ?? Math.ceil(nowSec)) - lengthSec;
  const firstSec = Math.ceil(fromSec / roundSec) * roundSec;
  const untilSec = rounds > 0 ? firstSec + lengthSec : (asked('to') ?? Math.ceil(nowSec));
  if (!(untilSec > fromSec))
    throw new Error('the range ends before it begins: see --from and --to');
  if (untilSec > TIME_SEC_MAX) throw new Error(`a time beyond ${TIME_SEC_MAX} has no place`);
  return { fromSec, untilSec };
}

function onlyWith(values: Values, flag: keyof Values, other: string, isThere: boolean): void {
  if (values[flag] !== undefined && !isThere) throw new Error(`--${flag} goes with ${other} only`);
}

function integer(
  values: Values,
  flag: keyof Values,
  without: number,
  least: number,
  most: number,
): number {
  const text = values[flag] as string | undefined;
  if (text === undefined) return without;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${flag} ${text}: not an integer from ${least} to ${most}`);
}
