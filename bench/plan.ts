import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run bench -- [flags]
  --seconds N   ingest is timed for N s (default 10), each query for N / 3
  --hours N     hours of data that are loaded before queries are asked (default 12)
  --share N     each query is also asked beside ingest at N times the rate that was
                measured for ingest alone (default 0.5)
  --shards N    default: the store's own
  --adapter A   uws or node; default: the store's own
  --smoke       every part for a moment, with a fifth of the hosts and 3 h of data
  --json FILE   the rows of the table as JSON`;

/** The job query asks for 16 hosts of alex: 0.19 × 86. */
const SMOKE_SCALE = 0.19;
const QUERY_CONNECTIONS = [4, 64];

/** What a run of the bench does. */
export interface Plan {
  readonly hours: number;
  readonly ingestSec: number;
  readonly querySec: number;
  readonly idleSec: number;
  readonly warmUpSec: number;
  /** Share of the workload's hosts. */
  readonly scale: number;
  readonly connections: readonly number[];
  /** How many of the queries are asked beside ingest, and its share of the full rate. */
  readonly besideCount: number;
  readonly besideShare: number;
  /** Added to the `metricshard` part of the store's configuration. */
  readonly server: Record<string, unknown>;
  /** Whether the benches of single kernels run as well. */
  readonly kernel: boolean;
  readonly json: string | undefined;
}

/** Reads the flags; throws an Error that says what is wrong with them. */
export function parsePlan(argv: string[]): Plan {
  const { values } = parseArgs({
    args: argv,
    options: {
      seconds: { type: 'string' },
      hours: { type: 'string' },
      share: { type: 'string' },
      shards: { type: 'string' },
      adapter: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { smoke } = values;
  const number = (name: string, text: string | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text);
    if (!(value > 0 && value < Infinity))
      throw new Error(`--${name} ${text}: not a number above 0`);
    return value;
  };
  const seconds = number('seconds', values.seconds, smoke ? 1 : 10);
  return {
    hours: number('hours', values.hours, smoke ? 3 : 12),
    ingestSec: seconds,
    querySec: smoke ? 0.3 : seconds / 3,
    idleSec: smoke ? 1 : 30,
    warmUpSec: smoke ? 0.1 : 0.5,
    scale: smoke ? SMOKE_SCALE : 1,
    connections: smoke ? QUERY_CONNECTIONS.slice(0, 1) : QUERY_CONNECTIONS,
    // A load generator is started for each, which takes as long as the smoke form's questions.
    besideCount: smoke ? 1 : Infinity,
    besideShare: number('share', values.share, 0.5),
    server: {
      ...(values.shards && { shards: number('shards', values.shards, 1) }),
      ...(values.adapter && { 'http-adapter': values.adapter }),
    },
    kernel: !smoke,
    json: values.json,
  };
}
