import { parseArgs } from 'node:util';

/** What a run is to be, as its flags say. */
export interface Plan {
  readonly minutes: number;
  readonly seed: number;
  readonly shards: number;
  /** Hosts that send over HTTP at a time. */
  readonly hosts: number;
  /** Whether the store wants tokens. */
  readonly auth: boolean;
  readonly smoke: boolean;
  /** Folder of the results; '' = none. */
  readonly out: string;
  /** Whether the folder of the run is kept also where all is well. */
  readonly keep: boolean;
}

export const USAGE = `npm run soak -- [flags]
  --minutes N   length of the load (10)
  --seed N      repeats the schedule of a run (drawn anew)
  --shards N    shards of the store (2)
  --hosts N     hosts that send over HTTP at a time (40)
  --auth on|off whether the store wants tokens (on)
  --smoke       half a minute with a fixed schedule, no results unless --out says where
  --out DIR     folder of the results (bench/results)
  --keep        keep the folder of the run`;

const SMOKE = { minutes: 0.35, seed: 1, hosts: 24 };
const SEED_END = 2 ** 31;

/** Throws with a sentence about what is wrong. */
export function parsePlan(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      shards: { type: 'string', default: '2' },
      hosts: { type: 'string' },
      auth: { type: 'string', default: 'on' },
      smoke: { type: 'boolean', default: false },
      out: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const { smoke, keep, auth } = values;
  if (auth !== 'on' && auth !== 'off') throw new Error(`--auth ${auth}: it is on or off`);
  const seed = smoke ? SMOKE.seed : Math.floor(Math.random() * SEED_END);
  return {
    minutes: number('minutes', values.minutes, smoke ? SMOKE.minutes : 10, 0.1, 7 * 24 * 60),
    seed: whole('seed', values.seed, seed, 0, SEED_END),
    shards: whole('shards', values.shards, 2, 1, 16),
    hosts: whole('hosts', values.hosts, smoke ? SMOKE.hosts : 40, 4, 1000),
    auth: auth === 'on',
    smoke,
    out: values.out ?? (smoke ? '' : 'bench/results'),
    keep,
  };
}

function number(
  flag: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new Error(`--${flag} ${text}: it is a number from ${min} to ${max}`);
  }
  return value;
}

function whole(
  flag: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  const value = number(flag, text, otherwise, min, max);
  if (!Number.isInteger(value)) throw new Error(`--${flag} ${text}: it is a whole number`);
  return value;
}
