import { setFlagsFromString } from 'node:v8';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';
import { HealthStore, T0 } from '../../test/health/health-store.js';

/**
 * What the health check takes of a shard that has all hosts: while all samples come, when a tenth of the
 * hosts falls silent, and when all have. The states it finds are checked each time.
 */
const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3000' },
    metrics: { type: 'string', default: '50' },
    /** Of each metric, on each host. */
    series: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
  },
});
const hostCount = Number(values.hosts);
const metricCount = Number(values.metrics);
const seriesCount = Number(values.series);
const minutes = Number(values.minutes);
const STEP_SEC = 60;
const CHECK_SEC = 10;

const store = new HealthStore({ pairsMax: 10_000_000 });
const cpuMs: number[] = [];

function report(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(52)}${value.toFixed(3).padStart(10)} ${unit}`);
}

/** The series of each host, in the order of their metrics. */
function makeSeries(): number[][] {
  return Array.from({ length: hostCount }, (_, host) => {
    const made: number[] = [];
    for (let metric = 0; metric < metricCount; metric++) {
      for (let id = 0; id < seriesCount; id++) {
        const type = seriesCount > 1 ? 'hwthread' : '';
        made.push(
          store.engine.seriesFor({
            metric: `metric${metric}`,
            cluster: 'alex',
            host: `a${String(host).padStart(5, '0')}`,
            type,
            typeId: type && String(id),
            stype: '',
            stypeId: '',
          }),
        );
      }
    }
    return made;
  });
}

const all = makeSeries();

/** A sample of each series of some hosts. */
function write(minute: number, hosts: readonly number[][]): void {
  const timeSec = T0 + minute * STEP_SEC;
  for (const host of hosts) {
    for (const series of host) store.kernel.appendSample(series, timeSec, minute);
  }
}

/** Checks so many minutes; returns what each took. */
async function run(from: number, count: number, hosts: readonly number[][]): Promise<number[]> {
  const took: number[] = [];
  for (let minute = from; minute < from + count; minute++) {
    write(minute, hosts);
    for (let sec = 5; sec < STEP_SEC; sec += CHECK_SEC) {
      await store.check(minute * STEP_SEC + sec);
      took.push(store.summaries.at(-1)!.milliseconds);
    }
  }
  return took;
}

async function expectHosts(full: number, failed: number): Promise<void> {
  const groups = await groupsNow();
  if (groups[0] !== full || groups[2] !== failed) {
    throw new Error(`${groups.join()} hosts, not ${full} full and ${failed} failed`);
  }
}

function groupsNow(): readonly number[] {
  return store.summaries.findLast(({ groups }) => groups !== undefined)!.groups![0]!.hosts;
}

function tell(name: string, took: readonly number[]): void {
  const mean = took.reduce((sum, ms) => sum + ms, 0) / took.length;
  report(`${name}: a check`, mean, 'ms');
  report(`${name}: of a core`, mean / CHECK_SEC / 10, '%');
  report(`${name}: the longest`, Math.max(...took), 'ms');
  cpuMs.push(mean);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function bytesUsed(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

console.log(`${hostCount} hosts × ${metricCount} metrics × ${seriesCount} series`);
write(0, all);
const before = bytesUsed();
await store.check(5);
report('the first check', store.summaries.at(-1)!.milliseconds, 'ms');
report('memory', (bytesUsed() - before) / (hostCount * metricCount), 'bytes a metric of a host');
await expectHosts(hostCount, 0);
// What is measured has run before.
await run(1, 6, all);
tell('all is well', await run(7, minutes, all));
await expectHosts(hostCount, 0);
let minute = 7 + minutes;
const silent = Math.floor(hostCount / 10);
tell('a tenth falls silent', await run(minute, 7, all.slice(silent)));
await expectHosts(hostCount - silent, silent);
minute += 7;
tell('a tenth is silent', await run(minute, minutes, all.slice(silent)));
minute += minutes;
tell('it comes back', await run(minute, 2, all));
await expectHosts(hostCount, 0);
minute += 2;
tell('all fall silent', await run(minute, 7, []));
await expectHosts(0, hostCount);
minute += 7;
tell('all are silent', await run(minute, minutes, []));
report('longest turn', Math.max(...store.summaries.map((one) => one.longestTurnMs)), 'ms');
