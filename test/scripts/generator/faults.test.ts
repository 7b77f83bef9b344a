import t from 'tap';
import { LineWriter } from '../../../scripts/generator/line-writer.js';
import type { MadeUpData } from '../../../scripts/generator/made-up-data.js';
import { Model } from '../../../scripts/generator/model.js';
import { parseGenerateArgs } from '../../../scripts/generator/options.js';

const STEP_SEC = 60;
const ROUNDS = 256;
const METRICS = 'cpu_load,mem_bw,cpu_energy,core_temp,cpu_user,mem_capacity';
const SIZE = `--from 1700000040 --rounds ${ROUNDS} --hosts 20 --threads 2 --seed 5 --metrics ${METRICS}`;

interface Made {
  readonly model: Model;
  readonly lines: readonly string[];
  /** Values by series and slot. */
  readonly values: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly data: MadeUpData;
}

function make(faults: string): Made {
  const args = [...SIZE.split(' '), '--faults', faults];
  const { data, fromSec, untilSec } = parseGenerateArgs(args, 0);
  const model = new Model();
  const writer = new LineWriter();
  for (const [host, batch] of data.batches(fromSec, untilSec)) {
    model.add(host, batch);
    writer.write(host, batch);
  }
  const values = new Map(
    [...model.series()].map(({ host, name, slots }) => {
      return [[host, ...Object.values(name)].join(' '), slots] as const;
    }),
  );
  return { model, lines: writer.bytes.toString().trimEnd().split('\n'), values, data };
}

const good = make('none');
const SAMPLES = good.model.written;

function stampsOf(lines: readonly string[]): number[] {
  return lines.map((line) => Number(/ (\d{10})\d*$/.exec(line)![1]));
}

/** Samples of `made` that are not as without faults, as their ratio. */
function ratios({ values }: Made): number[] {
  const found: number[] = [];
  for (const [key, slots] of values) {
    for (const [slot, value] of slots) {
      const before = good.values.get(key)!.get(slot)!;
      if (value !== before) found.push(value / before);
    }
  }
  return found;
}

/** Whether a number is about `share` of all samples. */
function isAbout(count: number, share: number, of = SAMPLES): boolean {
  return Math.abs(count / of - share) < 0.3 * share;
}

t.test('without faults every series has every sample, in the order of time', async (t) => {
  t.equal(good.values.size, 20 * (1 + 2 + 2 + 2 + 2 + 1));
  for (const slots of good.values.values()) if (slots.size !== ROUNDS) t.fail('a gap');
  t.equal(SAMPLES, good.values.size * ROUNDS);
  t.equal(good.lines.length, SAMPLES);
  const stamps = stampsOf(good.lines).map((stamp) => Math.floor(stamp / STEP_SEC));
  t.ok(stamps.every((stamp, i) => i === 0 || stamp >= stamps[i - 1]!));
});

t.test('a sample at a time', async (t) => {
  const gap = make('gap=0.1');
  t.ok(isAbout(SAMPLES - gap.model.written, 0.1));
  t.same(ratios(gap), [], 'the others are as they were');

  const late = make('late=0.1');
  t.equal(late.model.written, SAMPLES);
  t.same(ratios(late), []);
  const slots = stampsOf(late.lines).map((stamp) => Math.floor(stamp / STEP_SEC));
  let newest = 0;
  const behind = slots.filter((slot) => {
    newest = Math.max(newest, slot);
    return slot < newest;
  });
  t.ok(isAbout(behind.length, 0.1), `${behind.length} are late`);

  const duplicate = make('duplicate=0.1');
  t.ok(isAbout(duplicate.model.written - SAMPLES, 0.1));
  t.same(ratios(duplicate), [], 'the last one holds');
  t.equal(duplicate.lines.length, duplicate.model.written);
  const differ = duplicate.lines.filter((line, i) => {
    const [before, now] = [duplicate.lines[i - 1] ?? '', line];
    return before !== now && before.split(' value=')[0] === now.split(' value=')[0];
  });
  t.ok(isAbout(differ.length, 0.05), 'half of them had another value first');

  const spikes = ratios(make('spike=0.1'));
  // Counters have none: 2 of 10 series of a host.
  t.ok(isAbout(spikes.length, 0.08), `${spikes.length} spikes`);
  t.ok(spikes.every((ratio) => ratio > 2.9 && ratio < 10.1));

  const bad = make('bad=0.1');
  t.ok(isAbout(bad.model.rejected, 0.1));
  t.equal(bad.model.rejected + bad.model.written, SAMPLES);

  const event = make('event=0.1');
  t.ok(isAbout(event.model.ignored, 0.1, 20 * ROUNDS));
  t.equal(event.lines.filter((line) => line.startsWith('job,')).length, event.model.ignored);
});

t.test('clocks', async (t) => {
  const offsets = (lines: readonly string[]): Map<string, Set<number>> => {
    const found = new Map<string, Set<number>>();
    for (const [i, stamp] of stampsOf(lines).entries()) {
      const host = /hostname=(\w+)/.exec(lines[i]!)![1]!;
      const set = found.get(host) ?? new Set();
      found.set(host, set.add(stamp % STEP_SEC));
    }
    return found;
  };
  t.ok([...offsets(good.lines).values()].every(({ size }) => size === 1));
  const jitter = make('jitter=0.14');
  for (const [host, set] of offsets(jitter.lines)) {
    if (set.size < 10 || Math.max(...set) >= 0.4 * STEP_SEC) t.fail(host);
  }
  t.same(ratios(jitter), [], 'which moves no sample to another slot');

  const jump = make('jump=0.5');
  t.equal(jump.model.written, SAMPLES);
  t.ok(ratios(jump).length > 0, 'samples stand where others should');
  const short = [...jump.values.values()].filter(({ size }) => size < ROUNDS);
  t.ok(short.length > 0 && short.length < jump.values.size, 'and leave gaps, on some hosts');

  const precise = make('precision=0.5');
  t.same(ratios(precise), []);
  const digits = new Set(precise.lines.map((line) => / (\d+)$/.exec(line)![1]!.length));
  t.same([...digits].sort(), [10, 13, 16, 19]);
});

t.test('times in which something does not come, or comes otherwise', async (t) => {
  /** Series by how many of their samples are missing. */
  const missing = ({ values }: Made, key: RegExp): number =>
    [...values].filter(([name, { size }]) => key.test(name) && size < ROUNDS).length;
  const failure = make('failure=0.2');
  const hosts = good.data.hosts.map(({ plan }) => plan.name);
  const failed = hosts.filter((host) => missing(failure, new RegExp(`^${host} `)) > 0);
  t.ok(failed.length > 2 && failed.length < 20, `${failed.length} hosts failed`);
  for (const host of failed) t.equal(missing(failure, new RegExp(`^${host} `)), 10, 'as a whole');

  const loss = make('loss=0.1');
  const lost = missing(loss, /./);
  t.ok(lost > 10 && lost < 150, `${lost} series have gaps`);
  t.same(ratios(loss), []);

  const falls = ({ values }: Made): number => {
    let count = 0;
    for (const [name, slots] of values) {
      if (!name.includes('cpu_energy')) continue;
      const list = [...slots.values()];
      count += list.filter((value, i) => i > 0 && value < list[i - 1]!).length;
    }
    return count;
  };
  t.equal(falls(good), 0, 'counters only grow');
  t.ok(falls(make('reset=0.3')) > 5, 'but when they are reset');
  t.ok(falls(failure) > 0, 'as by a host that starts anew');

  const unit = make('unit=0.2');
  t.same(ratios(unit), [], 'what is meant is the same');
  const tagged = unit.lines.filter((line) => line.includes(',unit='));
  t.ok(tagged.length > 20);
  t.ok(
    tagged.every((line) => /^mem_(bw|capacity),.*,unit=MB(\/s)? value=\d+ \d+$/.test(line)),
    tagged[0],
  );
});

t.test('shapes', async (t) => {
  const ofMetric = (metric: string): (readonly number[])[] =>
    [...good.values].flatMap(([name, slots]) =>
      name.split(' ')[1] === metric ? [[...slots.values()]] : [],
    );
  t.ok(
    ofMetric('mem_capacity').every((list) => new Set(list).size === 1),
    'constants',
  );
  t.ok(ofMetric('cpu_user').every((list) => list.every((value) => value >= 0 && value <= 100)));
  const jumps = (list: readonly number[]): number =>
    Math.max(
      ...list.map((value, i) => Math.abs(value - (list[i - 1] ?? value)) / Math.max(...list)),
    );
  t.ok(
    ofMetric('core_temp').every((list) => jumps(list) < 0.15),
    'temperatures lag',
  );
  t.ok(
    ofMetric('cpu_load').some((list) => jumps(list) > 0.2),
    'loads do not',
  );
  const isIdle = (list: readonly number[]): boolean => Math.min(...list) < 0.1 * Math.max(...list);
  t.ok(ofMetric('cpu_load').every(isIdle), 'jobs come and go');
});
