import { el } from '../kit/dom.js';
import { bytes, digits, duration, short, type Maybe } from '../kit/format.js';
import { setText } from '../kit/text.js';
import type { Rates, Reasons, Status } from './answers.js';

interface Tile {
  readonly element: HTMLElement;
  set(value: string, note: string, kind?: 'bad' | ''): void;
}

export interface Tiles {
  readonly element: HTMLElement;
  setRates(rates: Rates): void;
  setStatus(status: Status): void;
}

/** The numbers that tell at one look how the store does. */
export function makeTiles(): Tiles {
  const ingest = makeTile('Ingest');
  const ignored = makeTile('Ignored');
  const rejected = makeTile('Rejected');
  const requests = makeTile('Requests');
  const write = makeTile('Write time, p99');
  const query = makeTile('Query time, p99');
  const memory = makeTile('Memory');
  const series = makeTile('Series');
  const log = makeTile('Log');
  const checkpoint = makeTile('Last checkpoint');
  const cpu = makeTile('CPU');
  const traffic = makeTile('Received');
  const all = [ingest, ignored, rejected, write, query, requests];
  all.push(memory, series, log, checkpoint, cpu, traffic);
  return {
    element: el('dl', { class: 'cards numbers' }, ...all.map(({ element }) => element)),
    setRates(rates) {
      ingest.set(perSec(rates.linesPerSec), `${perSec(rates.samplesPerSec)} samples`);
      const bad = (value: Maybe): 'bad' | '' => (value ? 'bad' : '');
      ignored.set(perSec(rates.ignoredPerSec), `${short(totalOf(rates.ignored))} in all`);
      rejected.set(
        perSec(rates.rejectedPerSec),
        `${short(totalOf(rates.rejected))} in all`,
        bad(rates.rejectedPerSec),
      );
      requests.set(perSec(rates.requestsPerSec), `${perSec(rates.queriesPerSec)} queries`);
      write.set(ms(rates.writeMsP99), `p50 ${ms(rates.writeMsP50)}`);
      query.set(ms(rates.queryMsP99), `p50 ${ms(rates.queryMsP50)}`);
      const cap = rates.memoryCapBytes ?? 0;
      const heap = bytes(rates.heapBytes);
      memory.set(
        bytes(rates.residentBytes),
        cap > 0 ? `${heap} of ${bytes(cap)} cap` : `samples ${heap}, no cap`,
      );
      series.set(short(rates.series), `in ${rates.shards?.length ?? '–'} shards`);
      log.set(bytes(rates.logBytes), 'since the last checkpoint');
      cpu.set(withUnit(rates.cpuPercent, '%'), 'of one core');
      traffic.set(
        `${bytes(rates.receivedBytesPerSec)}/s`,
        `${bytes(rates.sentBytesPerSec)}/s sent`,
      );
    },
    setStatus({ shards }) {
      const times = shards.map(({ counters }) => counters['checkpoint_timestamp_seconds_current']);
      const took = shards.map(({ counters }) => counters['checkpoint_duration_seconds_current']);
      // The oldest counts: it is what a restart begins with.
      const oldest = Math.min(...times.map((time) => time ?? 0));
      if (shards.length === 0 || oldest === 0) checkpoint.set('none', 'since the start');
      else {
        const longest = Math.max(...took.map((seconds) => seconds ?? 0));
        checkpoint.set(roughly(oldest), `took ${duration(longest)}`);
      }
    },
  };
}

function makeTile(title: string): Tile {
  const value = el('span', { class: 'value' }, '–');
  const note = el('span', { class: 'note' }, ' ');
  return {
    element: el('div', { class: 'card' }, el('dt', {}, title), el('dd', {}, value, note)),
    set(text, more, kind = '') {
      setText(value, text);
      setText(note, more);
      value.classList.toggle('bad', kind === 'bad');
    },
  };
}

/** Without seconds after the first minute: a number that never rests is not read. */
function roughly(atSec: number): string {
  const age = Math.max(0, Date.now() / 1000 - atSec);
  return `${duration(age < 60 ? age : Math.floor(age / 60) * 60)} ago`;
}

function perSec(value: Maybe): string {
  return `${short(value)}/s`;
}

function ms(value: Maybe): string {
  return withUnit(value, 'ms');
}

function withUnit(value: Maybe, unit: string): string {
  return value === null || value === undefined ? '–' : `${digits(value)} ${unit}`;
}

function totalOf(reasons: Reasons = {}): number {
  return Object.values(reasons).reduce((sum, { total }) => sum + total, 0);
}
