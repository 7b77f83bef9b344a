import type { Random } from '../../helpers/random.js';
import {
  bodiesOf,
  FUTURE_SEC,
  generateBodies,
  NOW_SEC,
  RETENTION_SEC,
  type SentBody,
} from '../line-grammar.js';
import {
  LineStore,
  METRICS,
  placeOf,
  type Counts,
  type LinesSubject,
  type Samples,
} from '../line-store.js';
import { mutateBytes } from '../mutate.js';
import { readLines, shifted, type NaiveContext, type NaiveSample } from '../naive/lines.js';
import { mustHold, shown, type Target, type TargetEntry } from '../target.js';

/** Digits between the units of lines and that of the metric `mem`; what is not here is no size. */
const SHIFTS: Readonly<Record<string, number>> = { B: -6, KB: -3, MB: 0, GB: 3 };
/** A collector's lines come again: the second time they are predicted. */
const ROUNDS = 3;

export function contextOf({ cluster, precision }: SentBody): NaiveContext {
  return {
    cluster,
    precision,
    nowSec: NOW_SEC,
    minSec: NOW_SEC - RETENTION_SEC,
    maxSec: NOW_SEC + FUTURE_SEC,
    lineBytesMax: 65_536,
    isKnown: (metric) => metric in METRICS,
  };
}

/** The value in the metric's unit. */
function valueOf({ metric, value, text, unit }: NaiveSample): number {
  const shift = metric === 'mem' ? (SHIFTS[unit] ?? 0) : 0;
  return shift === 0 ? value : shifted(text, shift);
}

/** Counts of a body by the naive reader, which adds its samples to all. */
export function judgeBody(body: SentBody, all: Samples, context = contextOf(body)): Counts {
  const counts = { written: 0, ignored: 0, rejected: 0, lines: 0 };
  for (const { outcome, text } of readLines(body.bytes, context)) {
    counts.lines += Math.max(1, text.split('\n').length - (text.endsWith('\n') ? 1 : 0));
    if (outcome === 'ignored') counts.ignored++;
    else if (outcome === 'rejected') counts.rejected++;
    else if (outcome !== 'blank') {
      const value = valueOf(outcome);
      if (!Number.isFinite(value)) {
        counts.rejected++;
        continue;
      }
      counts.written++;
      const name = placeOf(outcome.metric, outcome.path);
      if (!all.has(name)) all.set(name, new Map());
      all.get(name)!.set(outcome.timeSec, value);
    }
  }
  return counts;
}

/** What differs, '' = nothing. */
export function samplesDifference(is: Samples, should: Samples): string {
  for (const [name, slots] of should) {
    const have = is.get(name);
    if (!have) return `there is no series ${name}`;
    for (const [timeSec, value] of slots) {
      // The sign of zero is no part of a metric's value.
      if (have.get(timeSec) !== value)
        return `${name} at ${timeSec}: ${have.get(timeSec)} for ${value}`;
    }
    if (have.size > slots.size) return `${name} has ${have.size} samples for ${slots.size}`;
  }
  for (const name of is.keys()) if (!should.has(name)) return `series ${name} is too many`;
  return '';
}

/** Lines through the kernel and the rules of a shard, with as many shards as it is told. */
function linesTarget(name: string, makeSubject: () => LinesSubject): Target {
  return {
    name,
    generate: generateBodies,
    mutate: (random: Random, input: Buffer, other: Buffer) => mutateBytes(random, input, other),
    run(input) {
      const bodies = bodiesOf(input);
      const subject = makeSubject();
      const should: Samples = new Map();
      for (let round = 0; round < ROUNDS; round++) {
        for (const body of bodies) {
          const wanted = judgeBody(body, should);
          const counts = subject.write(body);
          for (const key of Object.keys(wanted) as (keyof Counts)[]) {
            const told = (): string =>
              `${counts[key]} ${key} for ${wanted[key]} in round ${round} of ${shown(body.bytes)}`;
            mustHold(counts[key] === wanted[key], told);
          }
        }
        const wrong = samplesDifference(subject.samples(), should);
        mustHold(wrong === '', () => `${wrong}, round ${round}`);
      }
    },
  };
}

/** A store with a mistake: bodies, or what is read of them, are changed on the way. */
function mutant(
  change: Partial<{ body: (text: string) => string; value: (value: number) => number }>,
): () => Target {
  return () =>
    linesTarget('lines', () => {
      const store = new LineStore(1);
      const { body: changeBody = (text) => text, value: changeValue = (value) => value } = change;
      return {
        write: (body) =>
          store.write({
            ...body,
            bytes: Buffer.from(changeBody(body.bytes.toString('latin1')), 'latin1'),
          }),
        samples() {
          const all = store.samples();
          for (const slots of all.values()) {
            for (const [timeSec, value] of slots) slots.set(timeSec, changeValue(value));
          }
          return all;
        },
      };
    });
}

export const lines: TargetEntry = {
  name: 'lines',
  shortRuns: 1000,
  make: () => linesTarget('lines', () => new LineStore(1)),
  mutants: {
    'values are 32-bit': mutant({ value: Math.fround }),
    'a missing last newline loses the line': mutant({
      body: (text) => text.slice(0, text.lastIndexOf('\n') + 1),
    }),
    'escaped blanks are blanks': mutant({ body: (text) => text.replaceAll('\\ ', ' ') }),
    'digits behind the 17th are dropped': mutant({
      body: (text) => text.replace(/value=\d{18,}(?=[ \n])/g, (found) => found.slice(0, -1)),
    }),
    'a carriage return is part of the timestamp': mutant({
      body: (text) => text.replace(/(\d)\r\n/, '$1x\n'),
    }),
  },
};

export const linesOfShards: TargetEntry = {
  name: 'lines-of-shards',
  shortRuns: 400,
  make: () => linesTarget('lines-of-shards', () => new LineStore(3)),
  mutants: {
    'a line without host goes with the one before': () =>
      linesTarget('lines-of-shards', () => {
        const store = new LineStore(3);
        return {
          write: (body) =>
            store.write({
              ...body,
              bytes: Buffer.from(
                body.bytes
                  .toString('latin1')
                  .replace(/^load,cluster=c (?=value)/gm, 'load,cluster=c,host=h1 '),
                'latin1',
              ),
            }),
          samples: () => store.samples(),
        };
      }),
  },
};
