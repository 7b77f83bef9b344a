import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../../workers/kernel/layout.js';
import { fixture } from '../helpers/fixtures.js';
import { Random, seed } from '../helpers/random.js';
import { lttb as twin } from './twins/lttb.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;

function lttb(values: readonly number[], target: number): number[] {
  doubles.set(values, VALUES / 8);
  const written = kernel.lttb(VALUES, values.length, target, OUT);
  return [...doubles.subarray(OUT / 8, OUT / 8 + written)];
}

/** Where two lists differ, -1 if nowhere. */
function difference(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Math.min(ours.length, theirs.length);
  return ours.findIndex((value, index) => !Object.is(value, theirs[index]));
}

t.test('gaps', (t) => {
  const check = (name: string, values: number[], target: number, expected: number[]): void => {
    for (let round = 0; round < 2; round++) t.same(lttb(values, target), expected, name);
  };
  const _ = NaN;
  check('too few points are copied', [1, _, 3], 3, [1, _, 3]);
  check('a target below three copies', [1, 2, 3, 4, 5], 2, [1, 2, 3, 4, 5]);
  check('nothing stays nothing', [], 0, []);
  check('all missing', [_, _, _, _, _, _, _, _, _, _], 5, [_, _, _, _, _]);
  check('a missing point never wins', [1, _, 2, _, 5, _, 1, _, 4, 3], 5, [1, 2, 5, 1, 3]);
  check('a bucket without samples is missing', [1, 9, 2, _, _, _, 2, 8, 1, 1], 5, [1, 9, _, 8, 1]);
  check('ends may be missing', [_, 1, 1, 9, 1, 1, 1, 1, 1, _], 5, [_, 1, 9, 1, _]);
  check(
    'areas may overflow',
    [1e308, 1e308, -1e308, 1e308, -1e308, 0],
    4,
    [1e308, 1e308, 1e308, 0],
  );
  t.end();
});

t.test(`equals the twin, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let points = 0;
  let wrong = '';
  for (let round = 0; points < 400_000 && !wrong; round++) {
    const count = 1 + random.below(round % 50 === 0 ? 5000 : 300);
    const target = random.below(count + 2);
    const gaps = random.pick([0, 0, 0.02, 0.3, 0.9]);
    const steps = random.pick([2, 10, 1e6]);
    const values = Array.from({ length: count }, () =>
      random.chance(gaps) ? NaN : random.below(steps) / 100,
    );
    const at = difference(lttb(values, target), twin(values, target));
    if (at >= 0) wrong = `point ${at} of ${count} to ${target}, round ${round}`;
    points += count;
  }
  t.equal(wrong, '');
  t.end();
});

interface Case {
  readonly name: string;
  readonly request: { readonly queries: readonly [{ readonly metric: string; host: string }] };
  readonly response: { readonly results: { data: (number | null)[]; resolution: number }[][] };
}

t.test('equals the recorded answers of the reference', (t) => {
  const { cases } = JSON.parse(
    gunzipSync(readFileSync(fixture('reference-answers.json.gz'))).toString(),
  ) as { cases: Case[] };
  const native = new Map<string, Case>();
  let compared = 0;
  for (const one of cases) {
    const [query] = one.request.queries ?? [];
    const key = query ? `${query.host} ${query.metric}` : '';
    if (one.name === 'node-native') native.set(key, one);
    if (!one.name.startsWith('node-lttb-')) continue;
    const source = native.get(key)!.response.results[0]![0]!;
    const recorded = one.response.results[0]![0]!;
    const values = source.data.map((value) => value ?? NaN);
    const expected = recorded.data.map((value) => value ?? NaN);
    const target = Math.floor(values.length / (recorded.resolution / source.resolution));
    t.equal(difference(lttb(values, target), expected), -1, `${key} ${one.name}`);
    compared++;
  }
  t.ok(compared >= 40, `${compared} answers`);
  t.end();
});
