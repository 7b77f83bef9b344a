import t from 'tap';
import { RESAMPLE_ALGORITHMS } from '../../src/model/query-request.js';
import { startServer } from '../helpers/server.js';
import { lttb } from '../kernel/twins/lttb.js';
import { resample } from '../kernel/twins/resample.js';

const T0 = 1_795_466_400;
const STEP_SEC = 60;
const SLOTS = 240;
const STRIDE = 4;
const POINTS = SLOTS / STRIDE;
const HOSTS = ['a0101', 'a0102', 'a0103'];

/** A quiet curve with one spike, one drop and a gap that two points of a quarter fall into. */
function valueAt(host: number, slot: number): number {
  if (slot >= 100 && slot < 110) return NaN;
  if (slot === 63) return 999.5;
  if (slot === 62) return -7.25;
  return Math.round((50 + host + 10 * Math.sin(slot / 9)) * 100) / 100;
}

for (const setup of [
  { 'http-adapter': 'uws', shards: 1, 'resample-algorithm': 'minmaxlttb' },
  { 'http-adapter': 'node', shards: 2 },
]) {
  t.test(`each algorithm, ${JSON.stringify(setup)}`, async (t) => {
    const server = await startServer({
      metrics: { load: { frequency: STEP_SEC, aggregation: 'avg' } },
      metricshard: { ...setup, 'retention-enforced': false, 'resample-min-points': 0 },
    });
    t.teardown(() => server.stop());
    const lines: string[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      HOSTS.forEach((host, index) => {
        const value = valueAt(index, slot);
        const time = T0 + slot * STEP_SEC;
        if (!Number.isNaN(value)) {
          lines.push(`load,cluster=c,hostname=${host},type=node value=${value} ${time}`);
        }
      });
    }
    t.equal((await server.write(lines.join('\n'))).status, 200);
    const ask = async (more: object): Promise<(number | null)[][]> => {
      const { status, json } = await server.query({
        cluster: 'c',
        from: T0,
        to: T0 + SLOTS * STEP_SEC,
        queries: HOSTS.map((host) => ({ metric: 'load', host, resolution: STRIDE * STEP_SEC })),
        ...more,
      });
      t.equal(status, 200);
      for (const [element] of json.results) {
        t.match(element, { resolution: 240, from: T0, min: -7.25, max: 999.5 });
      }
      return json.results.map(([element]: [{ data: (number | null)[] }]) => element.data);
    };
    const expected = (algorithm: (typeof RESAMPLE_ALGORITHMS)[number]): (number | null)[][] =>
      HOSTS.map((_, host) => {
        const values = Array.from({ length: SLOTS }, (_, slot) => valueAt(host, slot));
        const grid = { offset: 0, num: STRIDE, den: 1, target: POINTS };
        const data =
          algorithm === 'lttb' ? lttb(values, POINTS) : resample(algorithm, values, grid);
        return data.map((value) => (Number.isNaN(value) ? null : value));
      });
    for (const algorithm of RESAMPLE_ALGORITHMS) {
      const shown = await ask({ 'resample-algo': algorithm });
      t.strictSame(shown, expected(algorithm), algorithm);
    }
    const configured = setup['resample-algorithm'] === 'minmaxlttb' ? 'minmaxlttb' : 'lttb';
    t.strictSame(await ask({}), expected(configured), 'without a name: as configured');
    const refused = await server.query({ cluster: 'c', 'resample-algo': 'm5', queries: [] });
    t.equal(refused.status, 400);
    t.match(refused.text, /resample-algo must be one of lttb, minmaxlttb, minmax, m4/);
  });
}
