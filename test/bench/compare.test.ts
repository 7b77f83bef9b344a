import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { Figures, spreadOf } from '../../bench/compare/figures.js';
import { parsePlan } from '../../bench/compare/plan.js';
import {
  compareAnswers,
  expectedAnswer,
  questionsOf,
  type Answer,
} from '../../bench/compare/questions.js';
import { markdownOf, type Run } from '../../bench/compare/report.js';
import { findStores } from '../../bench/compare/stores/find.js';
import { judge, TARGETS } from '../../bench/compare/targets.js';
import { makeBatches } from '../../bench/workload.js';
import { MAIN } from '../helpers/program.js';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const START_SEC = 1_800_000_000;

t.test('medians with their spread', async (t) => {
  const check = (runs: number[], median: number, min: number, max: number): void => {
    const given = [...runs];
    t.same(spreadOf(runs), { median, min, max, runs: given });
    t.same(runs, given, 'runs stay in the order in which they were');
  };
  check([5], 5, 5, 5);
  check([9, 1, 5], 5, 1, 9);
  check([9, 1, 5, 7], 6, 1, 9);
  t.throws(() => spreadOf([]), /nothing/);
});

t.test('flags', async (t) => {
  const plan = parsePlan(['--hours', '6', '--stores', 'Influx,prom', '--memory-hours', '0']);
  t.same([plan.hours, plan.peerHours, plan.memoryHours, plan.rounds], [6, 6, 0, 3]);
  t.same(plan.stores, ['influx', 'prom']);
  t.equal(parsePlan(['--hours', '6', '--peer-hours', '2']).peerHours, 2);
  for (const wrong of [
    ['--rounds', '1.5'],
    ['--rounds', '0'],
    ['--hours', 'many'],
    ['--memory-hours', '-1'],
    ['--unknown'],
  ]) {
    t.throws(() => parsePlan(wrong), /./, wrong.join(' '));
  }
});

t.test('targets are judged by medians, the relative ones as well', async (t) => {
  const figures = new Figures();
  const own = 'metricshard';
  const add = (measure: string, ...values: number[]): void => {
    for (const value of values) figures.add(measure, own, value);
  };
  add('ingest', 5e6, 6.1e6, 9e6);
  add('ingest p99', 16);
  add('q4, 4', 1000);
  add('q4s, 4', 2999);
  add('q1 beside ingest', 0.9);
  add('q5 beside ingest', 0.4);
  const plan = { hours: 12, memoryHours: 24, scale: 1 };
  const of = (what: RegExp) => judge(figures, plan).find(({ target }) => what.test(target.what))!;
  t.equal(judge(figures, plan).length, TARGETS.length);
  t.same([of(/^ingest, 8/).value, of(/^ingest, 8/).isMet], [6.1e6, true]);
  t.equal(of(/p99/).isMet, false);
  t.same([of(/p50/).isMet, of(/p50/).note], [undefined, 'not measured in this run']);
  t.same([of(/to q4 with/).value, of(/to q4 with/).isMet], [2.999, false]);
  t.same([of(/beside ingest at/).value, of(/beside ingest at/).isMet], [0.4, false]);
  t.match(of(/48 h/).note, /of 24 h/);
  t.equal(of(/to that of cc/).isMet, false);
  t.match(of(/to that of cc/).note, /recorded/);
  figures.add('ingest', 'cc-metric-store', 300_000);
  t.equal(of(/to that of cc/).isMet, true);
  t.equal(of(/to that of cc/).note, '');
});

t.test('an answer that differs is found', async (t) => {
  const written = { batches: makeBatches(0.05), seed: 1, startSec: START_SEC, stepSec: 60 };
  const questions = questionsOf(written, 300, 5);
  t.same(
    questions.map(({ id }) => id),
    ['q1', 'q2', 'q3', 'q4', 'q4s', 'q5', 'jobs'],
  );
  for (const { id, form, selections } of questions) {
    const wanted = expectedAnswer(written, form, selections.at(-1)!);
    compareAnswers(wanted, wanted, { tolerance: 0 });
    const isCurve = wanted.curves.size > 0;
    t.equal(isCurve, form === 'series' || form === 'sum', id);
    const bad: Answer[] = isCurve ? spoiledCurves(wanted) : spoiledStatistics(wanted);
    for (const answer of bad)
      t.throws(() => compareAnswers(answer, wanted, { tolerance: 1e-9 }), /wrong/, id);
  }
  const [q1, q2] = questions;
  t.equal([...expectedAnswer(written, 'series', q1!.selections[0]!).curves.values()][0]!.size, 300);
  const sum = expectedAnswer(written, 'sum', q2!.selections[0]!).curves.get('flops_any')!;
  // 128 values between 10 and 100.
  t.ok([...sum.values()].every((value) => value > 1280 && value < 12_800));
});

/** One value too large, one point missing, one curve missing. */
function spoiledCurves(right: Answer): Answer[] {
  const [[key, curve] = ['', new Map<number, number>()]] = right.curves;
  const [[timeSec, value] = [0, 0]] = curve;
  const larger = new Map(curve).set(timeSec, value * 1.001);
  const shorter = new Map([...curve].slice(1));
  return [
    { ...right, curves: new Map(right.curves).set(key, larger) },
    { ...right, curves: new Map(right.curves).set(key, shorter) },
    { ...right, curves: new Map([...right.curves].slice(1)) },
  ];
}

function spoiledStatistics(right: Answer): Answer[] {
  const [[key, one] = ['', { avg: 0, min: 0, max: 0 }]] = right.statistics;
  const changed = (['avg', 'min', 'max'] as const).map((name) => {
    const statistics = new Map(right.statistics).set(key, { ...one, [name]: one[name] * 1.001 });
    return { ...right, statistics };
  });
  return [...changed, { ...right, statistics: new Map([...right.statistics].slice(1)) }];
}

t.test('a store that is not there is named, with how to get it', async (t) => {
  const path = process.env['PATH'];
  t.teardown(() => (process.env['PATH'] = path));
  process.env['PATH'] = t.testdirName;
  const written = { batches: makeBatches(0), seed: 1, startSec: START_SEC, stepSec: 60 };
  const context = { written, retentionSec: 3600, idleSec: 1 };
  const { stores, skipped } = findStores(parsePlan([]), context, 1);
  t.equal(stores[0]!.name, 'metricshard');
  const reasonOf = (name: string) => skipped.find((one) => one.name === name)?.reason;
  for (const [name, reason] of [
    ['VictoriaMetrics', /`victoria-metrics`, or `scripts\/bench-peers`/],
    ['Prometheus', /`prometheus`/],
    ['InfluxDB', /`influxdb`/],
    ['cc-metric-store', /--cc-metric-store/],
    ['TimescaleDB', /not in Debian/],
    ['QuestDB', /not in Debian/],
  ] as const) {
    t.match(reasonOf(name), reason, name);
  }
});

t.test('the report says where others are better, and what is left out', async (t) => {
  const figures = new Figures();
  figures.add('ingest', 'metricshard', 6e6);
  figures.add('ingest', 'Other', 7e6);
  figures.add('disk', 'metricshard', 1.9);
  figures.add('disk', 'Other', 2.5);
  figures.note('q3', 'Other', 'no answer, or a wrong one:\nof another kind');
  const store = (name: string) => ({ name, version: '1', settings: 'none' });
  const run: Run = {
    machine: 'a machine',
    node: 'v20',
    startedAt: 'today',
    minutes: 1,
    command: 'npm run bench -- compare',
    rounds: 1,
    stores: [store('metricshard'), store('Other')],
    skipped: [{ name: 'Third', reason: 'not installed' }],
    failed: new Map([['Fourth', 'it broke']]),
    questions: [],
    figures,
    verdicts: judge(figures, { hours: 12, memoryHours: 48, scale: 1 }),
  };
  const text = markdownOf(run);
  t.match(text, /Third is left out: not installed/);
  t.match(text, /Fourth failed.*it broke/);
  t.match(text, /lines\/s: Other has 7 M, metricshard 6 M/);
  t.notMatch(text, /disk.*Other has/);
  t.match(text, /Other, q3: no answer, or a wrong one: of another kind/);
  t.match(text, /\| ingest, 8 connections, log on \| ≥ 6 M lines\/s \| 6 M \| met \| 7 M \|/);
});

t.test(
  'a run with a binary in the place of cc-metric-store, and none of the others',
  { timeout: 150_000 },
  async (t) => {
    const folder = t.testdir({});
    const binary = join(folder, 'cc-metric-store');
    // A drop-in: ours takes the same flags and configuration.
    writeFileSync(binary, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
    chmodSync(binary, 0o755);
    const flags = ['--smoke', '--stores', 'cc-metric-store', '--cc-metric-store', binary];
    const few = ['--scale', '0.02', '--seconds', '0.1', '--hours', '0.1', '--out', folder];
    await promisify(execFile)(process.execPath, [BENCH, 'compare', ...flags, ...few], {
      timeout: 120_000,
    });
    const run = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8'));
    const names = ['metricshard', 'cc-metric-store', 'cc-metric-store (json)'];
    t.same(
      run.stores.map(({ name }: { name: string }) => name),
      names,
    );
    t.same(run.failed, {});
    t.same(
      run.notes.filter((note: string) => /no answer|not answered/.test(note)),
      [],
    );
    for (const name of names) {
      t.equal(run.figures['samples lost'][name].median, 0, `${name} has all samples`);
      for (const measure of ['ingest', 'q1, 4', 'q4s, 4', 'jobs, 4', 'memory', 'disk', 'restart']) {
        t.ok(run.figures[measure][name].median > 0, `${name}: ${measure}`);
      }
    }
    t.match(readFileSync(join(folder, 'compare.md'), 'utf8'), /InfluxDB is left out: not among/);
    t.match(readFileSync(join(folder, 'compare.svg'), 'utf8'), /cc-metric-store \(json\)/);
    const nameless = promisify(execFile)(process.execPath, [
      BENCH,
      'compare',
      '--cc-metric-store',
      'no',
    ]);
    await t.rejects(nameless, { code: 2, stderr: /no such file/ });
  },
);
