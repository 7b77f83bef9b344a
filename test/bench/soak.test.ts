import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Checker, FORMS } from '../../bench/soak/checker.js';
import { HttpClient } from '../../bench/soak/http-client.js';
import { Journal } from '../../bench/soak/journal.js';
import { Ledger, type Cell, type Finding } from '../../bench/soak/ledger.js';
import { parsePlan } from '../../bench/soak/plan.js';
import { linesOf, METRICS, SERIES, valueOf, type SoakHost } from '../../bench/soak/site.js';
import { slopeOf } from '../../bench/soak/slope.js';
import { Tally } from '../../bench/soak/tally.js';
import { startServer } from '../helpers/server.js';

const SEED = 7;
const FROM = Math.floor(Date.now() / 1000) - 1000;
const SECONDS = 40;

function hostOf(number: number): SoakHost {
  return { number, name: `h${number}`, cluster: 'north', road: 'http', fromSec: FROM };
}

function cellsOf(host: SoakHost, from: number, until: number, version = 1): Cell[] {
  return Array.from({ length: until - from }, (_, i) => ({ host, sec: FROM + from + i, version }));
}

function linesOfCells(cells: readonly Cell[], seed = SEED): string {
  return cells.map(({ host, sec, version }) => linesOf(seed, host, sec, version)).join('');
}

const placeOf = ({ kind, host, sec }: Finding): string => `${kind} ${host} ${sec - FROM}`;

t.test('the checker finds in a real store what is lost, wrong, stale or never sent', async (t) => {
  const server = await startServer({ metrics: METRICS, metricshard: { shards: 2 } });
  t.teardown(() => server.stop());
  const client = new HttpClient(() => server, '');
  t.teardown(() => client.close());
  const write = async (cells: readonly Cell[], seed = SEED): Promise<void> => {
    t.equal((await server.write(linesOfCells(cells, seed))).status, 200);
  };
  const good = hostOf(1);
  const bad = hostOf(2);
  const never = hostOf(3);
  for (const host of [good, bad]) {
    await write(cellsOf(host, 0, 30));
    await write(cellsOf(host, 4, 6, 2));
  }
  for (const form of FORMS) {
    const ledger = new Ledger(SEED);
    const journal = new Journal();
    const checker = new Checker(client, ledger, journal);
    for (const host of [good, bad, never]) {
      ledger.open(host);
      if (host === never) continue;
      ledger.sent(cellsOf(host, 0, 30));
      ledger.sent(cellsOf(host, 4, 6, 2));
      ledger.acknowledge(cellsOf(host, 0, 30));
      ledger.acknowledge(cellsOf(host, 4, 5, 2));
      // Sent, and nobody knows whether it came.
      ledger.sent(cellsOf(host, 35, 36));
    }
    await checker.checkAll(form);
    t.same(ledger.counts, { lost: 0, wrong: 0, doubled: 0 }, `${form}: nothing is wrong`);
    t.ok(ledger.checkedSamples >= 3 * SECONDS * SERIES.length, `${form}: all was compared`);

    // Told of an answer that never came.
    ledger.sent(cellsOf(bad, 31, 32));
    ledger.acknowledge(cellsOf(bad, 31, 32));
    // The second version was acknowledged, and the first one is there.
    ledger.sent(cellsOf(bad, 10, 11, 2));
    ledger.acknowledge(cellsOf(bad, 10, 11, 2));
    await checker.checkAll(form);
    t.same(ledger.counts, { lost: SERIES.length, wrong: SERIES.length, doubled: 0 }, form);
    const places = new Set(ledger.findings.map(placeOf));
    t.same([...places].toSorted(), ['lost h2 31', 'wrong h2 10']);
    t.same(journal.failures, [], `${form}: all was answered`);
  }

  const ledger = new Ledger(SEED + 1);
  ledger.open(good);
  ledger.sent(cellsOf(good, 0, 10));
  ledger.acknowledge(cellsOf(good, 0, 10));
  await new Checker(client, ledger, new Journal()).checkAll('v1');
  // Constants of another seed may be the same now and then; counters are.
  t.ok(ledger.counts.wrong > 25 * (SERIES.length - 3), 'all values are wrong, or were never sent');
  t.match(ledger.findings[0], { kind: 'wrong', host: 'h1', metric: 'steady', sec: FROM });

  const freed = new Ledger(SEED);
  freed.open(bad);
  freed.sent(cellsOf(bad, 0, 40));
  freed.acknowledge(cellsOf(bad, 0, 40));
  freed.freed(bad, FROM + 35);
  await new Checker(client, freed, new Journal()).checkAll('v1');
  t.equal(freed.counts.lost, 5 * SERIES.length, 'what was freed on purpose is not lost');
});

t.test('the checker finds a sample that is there twice', async (t) => {
  const host = hostOf(1);
  const value = valueOf(SEED, host, 0, FROM, 1);
  const head = 'selection,metric,unit,cluster,sub_cluster,host,type,id,sub_id,time,value\r\n';
  const row = `0,steady,,north,,h1,,,,${FROM},${value}\r\n`;
  const server = createServer((_, response) => response.end(head + row + row));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new HttpClient(() => ({ port }), '');
  t.teardown(() => {
    client.close();
    server.close();
  });
  const ledger = new Ledger(SEED);
  ledger.open(host);
  ledger.sent(cellsOf(host, 0, 1));
  await new Checker(client, ledger, new Journal()).check(host, FROM, FROM + 1, 'csv', 'normal');
  t.same(ledger.counts, { lost: 0, wrong: 0, doubled: 1 });
  t.match(ledger.findings[0], { kind: 'doubled', metric: 'steady', found: value });
});

t.test('what may be corrected, and what is certain', (t) => {
  const ledger = new Ledger(SEED);
  const host = hostOf(1);
  ledger.open(host);
  ledger.sent(cellsOf(host, 0, 4));
  ledger.acknowledge(cellsOf(host, 0, 3));
  ledger.doubt(cellsOf(host, 1, 2));
  ledger.sent(cellsOf(host, 2, 3, 2));
  const correctable = [0, 1, 2, 3, 4].map((sec) => ledger.isCorrectable(host, FROM + sec));
  t.same(correctable, [true, false, false, false, false]);
  const certain = (from: number, to: number) =>
    ledger.certain(ledger.snapshot(host, FROM + from, FROM + to), 0);
  t.same(certain(0, 2), [0, 1].map((sec) => valueOf(SEED, host, 0, FROM + sec, 1)) as never);
  t.equal(certain(1, 3), undefined, 'a correction is under way');
  t.equal(certain(3, 5), undefined, 'it was not answered');
  t.ok(Number.isNaN(certain(4, 5)![0]), 'nothing was sent');
  const before = ledger.snapshot(host, FROM, FROM + 1);
  ledger.sent(cellsOf(host, 0, 1, 2));
  t.equal(ledger.certain(before, 0), undefined, 'it has changed since');
  t.equal(ledger.acknowledgedSamples, 3 * SERIES.length);
  t.end();
});

t.test('counts of the store', (t) => {
  const tally = new Tally();
  tally.written = 100;
  tally.doubtful = 20;
  t.same(
    [99, 100, 120, 121].map((count) => tally.isPossible(count)),
    [false, true, true, false],
  );
  t.end();
});

t.test('growth, with what it can be off by', (t) => {
  const samplesOf = (valueAt: (sec: number) => number, count = 600) =>
    Array.from({ length: count }, (_, atSec) => ({ atSec, value: valueAt(atSec) }));
  const noise = (sec: number): number => ((sec * 7919) % 101) / 10 - 5;
  const flat = slopeOf(samplesOf((sec) => 300 + noise(sec)))!;
  t.ok(Math.abs(flat.perHour) <= 2 * flat.marginPerHour, JSON.stringify(flat));
  const growing = slopeOf(samplesOf((sec) => 300 + noise(sec) + sec / 60))!;
  t.ok(Math.abs(growing.perHour - 60 / growing.mean) < 0.1, JSON.stringify(growing));
  t.ok(growing.perHour - growing.marginPerHour > 0.1, 'that is more than noise');
  const busyLater = (sec: number): number => 300 + (sec > 300 && sec % 5 ? 100 : 0);
  t.equal(
    slopeOf(samplesOf(busyLater))!.perHour,
    0,
    'what requests take for a while is not growth',
  );
  t.equal(slopeOf(samplesOf(() => 1, 10)), undefined);
  t.end();
});

t.test('flags', (t) => {
  t.match(parsePlan([]), { minutes: 10, shards: 2, auth: true, out: 'bench/results' });
  t.match(parsePlan(['--smoke']), { seed: 1, smoke: true, out: '' });
  t.match(parsePlan(['--seed', '5', '--minutes', '0.5', '--auth', 'off']), {
    seed: 5,
    auth: false,
  });
  for (const [flags, message] of [
    ['--minutes x', /--minutes x: it is a number from 0.1/],
    ['--shards 1.5', /whole number/],
    ['--auth maybe', /it is on or off/],
    ['--nonsense', /nonsense/],
  ] as const) {
    t.throws(() => parsePlan(flags.split(' ')), message);
  }
  t.end();
});
