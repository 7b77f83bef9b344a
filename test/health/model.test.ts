import t from 'tap';
import { described } from '../engine/small-store.js';
import { random as randomOf, seed } from '../helpers/random.js';
import { HealthStore, T0 } from './health-store.js';
import { NaiveHealth, type Samples } from './naive-health.js';

const STEP_SEC = 60;
const METRICS = ['load', 'temp', 'power'];
const LISTED = ['a1', 'a2', 'a3'];
const HOSTS = [...LISTED, 'b1', 'b2', 'b3', 'b4'];

function put(samples: Samples, host: string, metric: string, level: string, sec: number): void {
  if (!samples.has(host)) samples.set(host, new Map());
  const metrics = samples.get(host)!;
  if (!metrics.has(metric)) metrics.set(metric, new Map());
  const series = metrics.get(metric)!;
  series.set(level, [...(series.get(level) ?? []), sec]);
}

/** Hosts, metrics and threads fall silent for minutes to hours, come back, and are freed now and then. */
async function history(from: number): Promise<{ found: string[]; wanted: string[]; at: number }> {
  const random = randomOf(from);
  const recoverSec = [0, 30, 60, 300][Math.floor(random() * 4)]!;
  const isDescribed = random() < 0.5;
  const clusters = isDescribed
    ? [described('alex', { load: {}, temp: {} }, { main: LISTED.join() })]
    : [];
  const expected = new Map(
    isDescribed ? LISTED.map((host): [string, string[]] => [host, ['load', 'temp']]) : [],
  );
  const store = new HealthStore({ store: { clusters }, health: { recoverSec } });
  const naive = new NaiveHealth(STEP_SEC, recoverSec, expected);
  const samples: Samples = new Map();
  const quietUntil = new Map<string, number>();
  const isQuiet = (name: string, sec: number): boolean => {
    if ((quietUntil.get(name) ?? 0) > sec) return true;
    if (random() < 0.01) quietUntil.set(name, sec + random() ** 3 * 7200);
    return false;
  };
  for (let sec = 0; sec < 4 * 3600; sec += 10) {
    if (sec % STEP_SEC === 0) {
      for (const host of HOSTS) {
        if (isQuiet(host, sec)) continue;
        for (const metric of METRICS) {
          if (isQuiet(`${host} ${metric}`, sec)) continue;
          for (const level of metric === 'load' ? ['hwthread 0', 'hwthread 1'] : ['']) {
            const place = `${host} ${metric}${level && ` ${level}`}`;
            if (isQuiet(place, sec)) continue;
            store.put(place, sec, random());
            put(samples, host, metric, level, T0 + sec);
          }
        }
      }
      if (random() < 0.02) {
        const host = HOSTS[Math.floor(random() * HOSTS.length)]!;
        store.engine.free([['alex', host]], T0 + 86_400);
        samples.delete(host);
      }
    }
    // Now and then a check is late.
    if (random() < 0.1) continue;
    const now = T0 + sec;
    await store.check(sec);
    naive.check(now, samples);
    const found = (await store.page()).flatMap(({ host, metrics }) =>
      metrics!.map(
        ({ metric, state, sinceSec, isFlapping }) =>
          `${host} ${metric} ${state}@${sinceSec}${isFlapping ? '~' : ''}`,
      ),
    );
    const wanted = naive.lines(now);
    if (found.sort().join() !== wanted.join()) return { found, wanted, at: sec };
  }
  return { found: [], wanted: [], at: -1 };
}

t.test(`random histories, as a naive model judges them, seed ${seed}`, async (t) => {
  for (let i = 0; i < 6; i++) {
    const { found, wanted, at } = await history(seed + i);
    t.same(found, wanted, `seed ${seed + i}, at ${at}`);
  }
});
