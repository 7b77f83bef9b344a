import { Point } from '@influxdata/influxdb-client';
import { freezeDeep } from '../../../src/config/config.js';
import { parseConfig } from '../../../src/config/parse-config.js';
import { TIME_SEC_MAX } from '../../../src/model/slot.js';
import type { ShardSet } from '../../../src/routing/shard-set.js';
import { startStore } from '../../../src/routing/start-store.js';
import type { WriteSummary } from '../../../src/routing/store.js';
import type { Random } from '../../helpers/random.js';
import { bodiesOf, generateBodies, NOW_SEC, type SentBody } from '../line-grammar.js';
import { LineStore, METRICS, placeOf, PRECISIONS, type Samples } from '../line-store.js';
import { mutateBytes } from '../mutate.js';
import { mustHold, shown, type Target, type TargetEntry } from '../target.js';
import { contextOf, judgeBody } from './lines.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SHARDS = 3;

/** The threads of a store, which all inputs have together: only what one body did is looked at. */
async function startThreads(): Promise<ShardSet> {
  const { config } = parseConfig({
    metrics: METRICS,
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards: SHARDS, 'retention-enforced': false },
  });
  return startStore(freezeDeep(config).store, config.limits, quiet);
}

type Write = (store: ShardSet, body: SentBody) => Promise<WriteSummary>;

/** In pieces of some bytes, as a slow client sends it. */
async function writeInPieces(store: ShardSet, body: SentBody): Promise<WriteSummary> {
  const { bytes, cluster, precision, cut } = body;
  const bytesExpected = bytes.length;
  const session = store.beginWrite({ cluster, precision: PRECISIONS[precision]!, bytesExpected });
  const size = cut || bytes.length;
  for (let at = 0; at < bytes.length; at += size) {
    // The bytes of a piece are gone when it was taken.
    session.push(Buffer.from(bytes.subarray(at, at + size)));
  }
  return session.finish();
}

function bodiesTarget(write: Write): Target {
  let started: Promise<ShardSet> | undefined;
  return {
    name: 'bodies',
    generate: generateBodies,
    mutate: mutateBytes,
    async run(input) {
      const store = await (started ??= startThreads());
      for (const body of bodiesOf(input)) {
        const range = { minSec: 256, maxSec: TIME_SEC_MAX - 2 };
        const wanted = judgeBody(body, new Map(), { ...contextOf(body), ...range });
        const is = await write(store, body);
        for (const key of ['written', 'ignored', 'rejected'] as const) {
          const told = (): string => `${is[key]} ${key} for ${wanted[key]} of ${shown(body.bytes)}`;
          mustHold(is[key] === wanted[key], told);
        }
      }
    },
    stop: async () => (await started)?.stop(),
  };
}

export const bodies: TargetEntry = {
  name: 'bodies',
  shortRuns: 300,
  make: () => bodiesTarget(writeInPieces),
  mutants: {
    'a line that two pieces have is lost': () =>
      bodiesTarget((store, body) => {
        const bytes = body.bytes.subarray(0, body.cut > 0 ? body.bytes.lastIndexOf(10) : undefined);
        return writeInPieces(store, { ...body, bytes });
      }),
  },
};

interface PointParts {
  readonly host: string;
  readonly id: string;
  readonly value: number;
  readonly sec: number;
}

function pointOf({ host, id, value, sec }: PointParts): string {
  const point = new Point('load').tag('cluster', 'c').tag('hostname', host);
  if (id !== '') point.tag('type', 'hwthread').tag('type-id', id);
  return `${point.floatField('value', value).timestamp(sec).toLineProtocol()}\n`;
}

function parsePoint(input: Buffer): PointParts | undefined {
  try {
    const { host, id, value, sec } = JSON.parse(input.toString()) as PointParts;
    const isText = typeof host === 'string' && typeof id === 'string' && typeof value === 'number';
    // What a host may not be called is not about how it is written.
    const isName = isText && /^[\w ,=.é-]{1,40}$/u.test(host) && /^[\w ,=:.é-]{0,40}$/u.test(id);
    return isName && !host.includes('..') && Number.isFinite(value)
      ? { host, id, value, sec }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What the client of InfluxDB makes of a point is read as that point. */
function pointsTarget(lineOf: typeof pointOf): Target {
  return {
    name: 'influx-points',
    generate: (random: Random) =>
      Buffer.from(
        JSON.stringify({
          host: random.pick(['h1', 'h 2', 'h=3', 'h,4', 'hé', 'a.b-c_d', ' ', '=']),
          id: random.pick(['', '0', '00000000:49:00.0', 'a b', ',', '==']),
          value: random.pick([
            random.next(),
            random.below(1e6),
            -1e300 * random.next(),
            5e-324,
            1e21,
            2 ** 53,
            0.1,
          ]),
          sec: NOW_SEC - random.below(1000),
        }),
      ),
    mutate: mutateBytes,
    run(input) {
      const parts = parsePoint(input);
      if (!parts || !Number.isInteger(parts.sec) || Math.abs(parts.sec - NOW_SEC) > 3000) return;
      const { host, id, value, sec } = parts;
      const line = Buffer.from(lineOf(parts));
      const store = new LineStore(1);
      for (let round = 0; round < 2; round++) {
        const { written } = store.write({ precision: 's', cluster: '', cut: 0, bytes: line });
        mustHold(written === 1, () => `${shown(line)} was not taken`);
      }
      const samples: Samples = store.samples();
      const path = ['c', host, ...(id === '' ? [] : [`hwthread${id}`])];
      const is = samples.get(placeOf('load', path))?.get(sec);
      mustHold(is === value, () => `${is} for ${value} of ${shown(line)}`);
    },
  };
}

export const influxPoints: TargetEntry = {
  name: 'influx-points',
  shortRuns: 300,
  make: () => pointsTarget(pointOf),
  mutants: {
    'blanks are not escaped': () => pointsTarget((parts) => pointOf(parts).replace('\\ ', ' ')),
  },
};
