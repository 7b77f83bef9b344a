import { barChart, short } from '../report/svg-chart.js';
import type { Figures, Spread } from './figures.js';
import type { Verdict } from './targets.js';
import type { Skipped } from './store.js';

/** A run, as it goes into the files. */
export interface Run {
  readonly machine: string;
  readonly node: string;
  readonly startedAt: string;
  readonly minutes: number;
  readonly command: string;
  readonly rounds: number;
  readonly stores: readonly {
    readonly name: string;
    readonly version: string;
    readonly settings: string;
  }[];
  readonly skipped: readonly Skipped[];
  readonly failed: ReadonlyMap<string, string>;
  readonly questions: readonly { readonly id: string; readonly title: string }[];
  readonly figures: Figures;
  readonly verdicts: readonly Verdict[];
}

interface Measure {
  readonly id: string;
  readonly title: string;
  /** Which end is the better one; undefined: neither. */
  readonly better?: 'more' | 'less';
}

const OWN = 'metricshard';
const MISSING = '–';

const INGEST: readonly Measure[] = [
  { id: 'new series', title: 'first round, series/s', better: 'more' },
  { id: 'ingest', title: 'lines/s', better: 'more' },
  { id: 'ingest p50', title: 'request p50, ms', better: 'less' },
  { id: 'ingest p99', title: 'request p99, ms', better: 'less' },
  { id: 'lines a CPU second', title: 'lines per CPU second of the store', better: 'more' },
  { id: 'generator busy', title: 'generator busy, % of a core' },
];
const REST: readonly Measure[] = [
  { id: 'hours loaded', title: 'hours loaded' },
  { id: 'samples sent', title: 'samples sent' },
  { id: 'samples lost', title: 'samples that are not there', better: 'less' },
  { id: 'memory in all', title: 'resident memory, bytes' },
  { id: 'memory', title: 'resident memory, bytes/sample', better: 'less' },
  { id: 'memory without pages of files', title: 'without pages of files', better: 'less' },
  { id: 'flush', title: 'flush or checkpoint, s' },
  { id: 'disk', title: 'disk, bytes/sample', better: 'less' },
  { id: 'disk, logs', title: 'of that in logs' },
  { id: 'restart', title: 'restart until an answer is right, s', better: 'less' },
];

/** All that was measured, as Markdown. */
export function markdownOf(run: Run): string {
  const asked = questionMeasures(run);
  const measures = [...INGEST, ...asked, ...REST];
  const lines = [
    '# metricshard and other stores',
    '',
    `${run.machine}, Node ${run.node}, ${run.startedAt}, ${run.minutes.toFixed(0)} minutes, by ` +
      `\`${run.command}\`. Medians of ${run.rounds} round(s), with minimum and maximum where they differ. ` +
      'How it is done: [bench/compare](../compare/README.md).',
    '',
    '## Stores',
    '',
    ...table(
      ['store', 'version', 'settings'],
      run.stores.map(({ name, version, settings }) => [name, version, settings]),
    ),
    ...run.skipped.map(({ name, reason }) => `- ${name} is left out: ${reason}.`),
    ...[...run.failed].map(
      ([name, why]) => `- ${name} failed, and has no figures from there on: ${oneLine(why)}`,
    ),
    '',
    '## Ingest',
    '',
    ...measureTable(run, INGEST),
    '',
    '## Questions a second',
    '',
    'The number behind a question is that of the connections; `anew` is past a cache of results.',
    '',
    ...measureTable(run, asked),
    '',
    '## Memory, disk, restart',
    '',
    ...measureTable(run, REST),
    '',
    '## Targets',
    '',
    ...targetTable(run),
    '',
    '## Where another store is better',
    '',
    ...betterElsewhere(run, measures),
    '',
    '## Notes',
    '',
    ...notesOf(run),
    '',
  ];
  return lines.join('\n');
}

/** Ingest and questions as bars; each group has a scale of its own. */
export function chartOf(run: Run): string {
  const names = run.stores.map(({ name }) => name);
  const group = ({ id, title }: Measure) => ({
    name: title,
    values: names.map((name) => run.figures.median(id, name)),
  });
  const shown: Measure[] = [
    { id: 'ingest', title: 'ingest, lines/s' },
    ...run.questions.map(({ id }) => ({ id: `${id}, 4`, title: `${id}, questions/s` })),
    { id: 'memory', title: 'memory, bytes/sample' },
    { id: 'disk', title: 'disk, bytes/sample' },
    { id: 'restart', title: 'restart, s' },
  ];
  return barChart({
    title:
      'metricshard and other stores, 4 connections; of memory, disk and restart less is better',
    series: names,
    groups: shown.map(group).filter(({ values }) => values.some((value) => value !== undefined)),
    unit: '',
  });
}

function questionMeasures({ questions, figures }: Run): Measure[] {
  const measured = Object.keys(figures.toJSON());
  return questions.flatMap(({ id, title }) =>
    measured
      .filter((name) => new RegExp(`^${id}, \\d+( anew)?$`).test(name))
      .flatMap((name): Measure[] => [
        { id: name, title: `${name}: ${title}`, better: 'more' },
        { id: `${name}, p50`, title: `${name}, p50 ms`, better: 'less' },
      ]),
  );
}

function measureTable({ stores, figures }: Run, measures: readonly Measure[]): string[] {
  const names = stores.map(({ name }) => name);
  const rows = measures.map(({ id, title }) => [
    title,
    ...names.map((name) => cell(figures.spread(id, name))),
  ]);
  return table(['', ...names], rows);
}

function targetTable({ stores, figures, verdicts }: Run): string[] {
  const others = stores.map(({ name }) => name).filter((name) => name !== OWN);
  const rows = verdicts.map(({ target, value, isMet, note }) => {
    const { what, least, most, unit, measure } = target;
    const wanted = least === undefined ? `≤ ${number(most!)}` : `≥ ${number(least)}`;
    const verdict = isMet === undefined ? MISSING : isMet ? 'met' : '**missed**';
    return [
      what,
      `${wanted} ${unit}`,
      value === undefined ? MISSING : number(value),
      note === '' ? verdict : `${verdict} (${note})`,
      ...others.map((name) => {
        const other = measure === undefined ? undefined : figures.median(measure, name);
        return other === undefined ? MISSING : number(other);
      }),
    ];
  });
  return table(['target', 'wanted', 'metricshard', '', ...others], rows);
}

function betterElsewhere({ stores, figures }: Run, measures: readonly Measure[]): string[] {
  const lines = measures.flatMap(({ id, title, better }) => {
    const own = figures.median(id, OWN);
    if (own === undefined || better === undefined) return [];
    return stores.flatMap(({ name }) => {
      const other = figures.median(id, name);
      if (name === OWN || other === undefined) return [];
      const isBetter = better === 'more' ? other > own : other < own;
      return isBetter
        ? [`- ${title}: ${name} has ${number(other)}, metricshard ${number(own)}.`]
        : [];
    });
  });
  return lines.length > 0 ? lines : ['Nowhere in this run.'];
}

function notesOf({ figures, verdicts }: Run): string[] {
  const unmet = verdicts.filter(({ isMet }) => isMet !== true).length;
  return [
    `- ${verdicts.length - unmet} of ${verdicts.length} targets are met.`,
    ...figures.notes().map((note) => `- ${oneLine(note)}`),
  ];
}

function cell(spread: Spread | undefined): string {
  if (!spread) return MISSING;
  const { median, min, max, runs } = spread;
  if (runs.length === 1 || min === max) return number(median);
  return `${number(median)} (${number(min)}–${number(max)})`;
}

function number(value: number): string {
  return value === 0 ? '0' : short(value);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line), ''];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
