import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineChart, short } from '../report/svg-chart.js';
import { JUDGED_SEC_MIN, percent, type Result } from './result.js';
import type { Sample } from './sampler.js';

const EVENTS_SHOWN_MAX = 200;
/** Events around a sample that is not as it should be. */
const AROUND_SEC = 15;
const MB = 1e6;

/** Writes `soak.json`, `soak.md` and `soak.svg`. */
export function writeReport(result: Result, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'soak.json'), `${JSON.stringify(result)}\n`);
  writeFileSync(join(folder, 'soak.md'), markdownOf(result));
  writeFileSync(join(folder, 'soak.svg'), chartOf(result));
}

/** What a run came to, in a few lines. */
export function summaryOf(result: Result): string {
  const { counts, growth, deeds } = result;
  const isJudged = result.plan.minutes * 60 >= 2 * JUDGED_SEC_MIN;
  const rows: [string, string][] = [
    ['acknowledged samples', short(result.acknowledgedSamples)],
    ['compared with what must be there', short(result.checkedSamples)],
    ['lost', String(counts.lost)],
    ['wrong', String(counts.wrong)],
    ['twice in an answer', String(counts.doubled)],
    ['processes of the store', String(result.processes)],
    ['kill -9', String(deeds['kill -9'] ?? 0)],
    ['shards that died', String(deeds['shards that died'] ?? 0)],
    ['S3 outages, faults', String(sumOf(deeds, /^S3 /))],
    ['NATS outages', String(sumOf(deeds, /^NATS /))],
    ['changes of the configuration', String(sumOf(deeds, /by PATCH|file changes|SIGHUP/))],
    ['full disks', String(deeds['disk is full'] ?? 0)],
    ['peak resident memory', `${Math.round(result.peakRssBytes / MB)} MB`],
    [
      'growth of what it keeps, second half',
      isJudged && growth
        ? `${percent(growth.perHour)} ± ${percent(growth.marginPerHour)} an hour`
        : 'too short a run to tell',
    ],
    ['most descriptors', String(result.descriptorsMax)],
    ['most files of log and checkpoints', `${result.filesMax} (bound ${result.filesBound})`],
    [
      'most bytes in them',
      `${Math.round(result.fileBytesMax / MB)} MB (bound ${Math.round(result.fileBytesBound / MB)})`,
    ],
    ['failures', String(result.failures.length)],
  ];
  return rows.map(([what, value]) => `${what.padEnd(36)} ${value}`).join('\n');
}

function sumOf(counts: Readonly<Record<string, number>>, pattern: RegExp): number {
  return Object.entries(counts).reduce(
    (sum, [name, count]) => sum + (pattern.test(name) ? count : 0),
    0,
  );
}

/** What is wrong, with what was done to the store around it. */
export function failuresOf({ failures, findings, events, samples }: Result): string {
  // Findings have Unix seconds, events count from the begin.
  const beganSec = samples.length > 0 ? samples[0]!.unixSec - samples[0]!.atSec : 0;
  const found = findings.slice(0, 10).map((finding) => {
    const { kind, host, metric, id, sec, expected, by, atSec } = finding;
    const at = atSec - beganSec;
    const around = events
      .filter((event) => Math.abs(event.atSec - at) < AROUND_SEC)
      .map((event) => `      ${event.atSec} s ${event.what} ${event.note}`);
    const name = `${host} ${metric}${id && ` ${id}`} at ${sec}`;
    const values = `${finding.found}, not ${expected.join(' or ')}`;
    return [`  ${kind}: ${name}: ${values} (${by}, ${at.toFixed(1)} s)`, ...around].join('\n');
  });
  return [...failures.map((failure) => `  ${failure}`), ...found].join('\n');
}

function markdownOf(result: Result): string {
  const { plan, events, node, commit } = result;
  const rows = summaryOf(result)
    .split('\n')
    .map((line) => `| ${line.slice(0, 36).trim()} | ${line.slice(37)} |`);
  const shown = events.slice(0, EVENTS_SHOWN_MAX).map(({ atSec, what, note }) => {
    return `| ${atSec} | ${what} | ${note.replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 120)} |`;
  });
  const failures = result.failures.length > 0 ? `\n\`\`\`\n${failuresOf(result)}\n\`\`\`\n` : '';
  return `# Soak

${plan.minutes} minutes, seed ${plan.seed}, ${plan.shards} shards, ${plan.hosts} hosts over HTTP, tokens ${
    plan.auth ? 'on' : 'off'
  }; Node ${node}, commit ${commit}.

| what | value |
| --- | --- |
${rows.join('\n')}
${failures}
![Resident memory, descriptors and files over time](soak.svg)

## What was done

| second | what | note |
| --- | --- | --- |
${shown.join('\n')}
`;
}

function chartOf({ samples, plan }: Result): string {
  const x = samples.map(({ atSec }) => atSec / 60);
  const curve = (name: string, of: (sample: Sample) => number) => ({
    name,
    x,
    // A gap where another process begins.
    y: samples.map((sample, i) =>
      i > 0 && samples[i - 1]!.generation !== sample.generation ? NaN : of(sample),
    ),
  });
  return lineChart({
    title: `Soak of ${plan.minutes} minutes, seed ${plan.seed}: what the store takes`,
    xTitle: 'minutes',
    yTitle: 'MB, or number',
    curves: [
      curve('resident memory, MB', ({ rssBytes }) => rssBytes / MB),
      curve('descriptors', ({ descriptors }) => descriptors),
      curve('threads', ({ threads }) => threads),
      curve('files of log and checkpoints', ({ files }) => files),
      curve('bytes in them, MB', ({ fileBytes }) => fileBytes / MB),
      curve('files on their way to the archive', ({ queueFiles }) => queueFiles),
    ],
  });
}
