import { SERIES, valueOf, type SoakHost } from './site.js';

/**
 * What is known of the samples of a host at one second, in a byte: the newest version that was sent,
 * the newest one that was acknowledged, and two flags.
 */
const SENT = 0b11;
const ACKNOWLEDGED_SHIFT = 2;
/** It was freed on purpose: it may be there or not. */
const FREED = 0b1_0000;
/** A body with it got no answer: it may still be on its way, so nothing newer is sent. */
const DOUBTFUL = 0b10_0000;
const VERSION_MAX = 2;

const CELLS_AT_FIRST = 1024;
/** Of each kind, one of a host's second: its other series mostly share its fate. */
const FINDINGS_MAX = 30;

/** The samples of a host at a second. */
export interface Cell {
  readonly host: SoakHost;
  readonly sec: number;
  readonly version: number;
}

export type FindingKind = 'lost' | 'wrong' | 'doubled';

/** A sample that is not as it should be. */
export interface Finding {
  readonly kind: FindingKind;
  readonly host: string;
  readonly metric: string;
  readonly id: string;
  readonly sec: number;
  readonly found: number | null;
  /** What could have been there. */
  readonly expected: readonly (number | null)[];
  /** Which question found it, and when. */
  readonly by: string;
  readonly atSec: number;
}

/** What was known of a host's samples when the store was asked. */
export interface Snapshot {
  readonly host: SoakHost;
  readonly fromSec: number;
  readonly states: Uint8Array;
}

interface Account {
  readonly host: SoakHost;
  states: Uint8Array;
}

/**
 * Knows of every sample whether it was sent and whether the store has acknowledged it. One that was
 * acknowledged must be there with its newest acknowledged value or a newer one that was sent; one that
 * was only sent may be there; one that was never sent must not.
 */
export class Ledger {
  readonly #seed: number;
  readonly #accounts = new Map<SoakHost, Account>();
  readonly #found = new Set<string>();
  /** The first that were found, for the report. */
  readonly findings: Finding[] = [];
  readonly counts: Record<FindingKind, number> = { lost: 0, wrong: 0, doubled: 0 };
  /** Cells, each of all series of a host. */
  acknowledgedCells = 0;
  /** Samples that were compared, over all questions. */
  checkedSamples = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  get acknowledgedSamples(): number {
    return this.acknowledgedCells * SERIES.length;
  }

  get hosts(): SoakHost[] {
    return [...this.#accounts.keys()];
  }

  open(host: SoakHost): void {
    this.#accounts.set(host, { host, states: new Uint8Array(CELLS_AT_FIRST) });
  }

  /** Called before they leave: from then on they may be there. */
  sent(cells: readonly Cell[]): void {
    for (const { host, sec, version } of cells) {
      const { states, index } = this.#at(host, sec);
      if ((states[index]! & SENT) < version) states[index] = (states[index]! & ~SENT) | version;
    }
  }

  /** The store has answered that it keeps them: from now on they must be there. */
  acknowledge(cells: readonly Cell[]): void {
    for (const { host, sec, version } of cells) {
      const { states, index } = this.#at(host, sec);
      const state = states[index]!;
      const before = acknowledgedIn(state);
      if (before === 0) this.acknowledgedCells++;
      if (before >= version) continue;
      states[index] = (state & ~(SENT << ACKNOWLEDGED_SHIFT)) | (version << ACKNOWLEDGED_SHIFT);
    }
  }

  /** Nobody has answered: nothing newer is to be sent of them. */
  doubt(cells: readonly Cell[]): void {
    for (const { host, sec } of cells) {
      const { states, index } = this.#at(host, sec);
      states[index] = states[index]! | DOUBTFUL;
    }
  }

  /** Called before they are freed on purpose: what is older than a second may go. */
  freed(host: SoakHost, toSec: number): void {
    const { states } = this.#at(host, Math.max(host.fromSec, toSec - 1));
    const end = Math.min(states.length, toSec - host.fromSec);
    for (let index = 0; index < end; index++) states[index] = states[index]! | FREED;
  }

  isAcknowledged(host: SoakHost, sec: number): boolean {
    return acknowledgedIn(this.#stateOf(host, sec)) > 0;
  }

  /** Whether a newer value may be sent of it: what there is was answered, and is the first one. */
  isCorrectable(host: SoakHost, sec: number): boolean {
    const state = this.#stateOf(host, sec);
    return (state & SENT) < VERSION_MAX && acknowledgedIn(state) > 0 && (state & DOUBTFUL) === 0;
  }

  /** To be taken before the store is asked. */
  snapshot(host: SoakHost, fromSec: number, toSec: number): Snapshot {
    const states = new Uint8Array(toSec - fromSec);
    for (let i = 0; i < states.length; i++) states[i] = this.#stateOf(host, fromSec + i);
    return { host, fromSec, states };
  }

  /**
   * The values of a series where each of them is known for sure and did not change since the snapshot
   * was taken, NaN where there is none; undefined where one of them is not.
   */
  certain({ host, fromSec, states }: Snapshot, series: number): Float64Array | undefined {
    const values = new Float64Array(states.length).fill(NaN);
    for (let i = 0; i < states.length; i++) {
      const state = states[i]!;
      if (this.#stateOf(host, fromSec + i) !== state || (state & FREED) !== 0) return undefined;
      const version = acknowledgedIn(state);
      if (version !== (state & SENT)) return undefined;
      if (version > 0) values[i] = valueOf(this.#seed, host, series, fromSec + i, version);
    }
    return values;
  }

  /** Compares one series of an answer; `null` and NaN stand for nothing. */
  judge(snapshot: Snapshot, series: number, data: ArrayLike<number | null>, by: string): void {
    const { host, fromSec, states } = snapshot;
    for (let i = 0; i < states.length; i++) {
      const sec = fromSec + i;
      const found = data[i] ?? NaN;
      // What was acknowledged meanwhile need not be there yet, what was sent meanwhile may.
      const least = acknowledgedIn(states[i]!);
      const now = this.#stateOf(host, sec);
      this.checkedSamples++;
      if (Number.isNaN(found)) {
        if (least > 0 && (now & FREED) === 0) this.#note('lost', host, series, sec, null, by);
        continue;
      }
      let isRight = false;
      for (let version = Math.max(1, least); version <= (now & SENT); version++) {
        if (found === valueOf(this.#seed, host, series, sec, version)) isRight = true;
      }
      if (!isRight) this.#note('wrong', host, series, sec, found, by);
    }
  }

  /** An answer had a sample twice. */
  doubled(host: SoakHost, series: number, sec: number, value: number, by: string): void {
    this.#note('doubled', host, series, sec, value, by);
  }

  #note(
    kind: FindingKind,
    host: SoakHost,
    series: number,
    sec: number,
    found: number | null,
    by: string,
  ): void {
    const key = `${kind} ${host.name} ${series} ${sec}`;
    if (this.#found.has(key)) return;
    this.#found.add(key);
    this.counts[kind]++;
    const ofKind = this.findings.filter((finding) => finding.kind === kind);
    if (ofKind.length >= FINDINGS_MAX) return;
    if (ofKind.some((finding) => finding.host === host.name && finding.sec === sec)) return;
    const state = this.#stateOf(host, sec);
    const expected: (number | null)[] = acknowledgedIn(state) === 0 ? [null] : [];
    for (let version = Math.max(1, acknowledgedIn(state)); version <= (state & SENT); version++) {
      expected.push(valueOf(this.#seed, host, series, sec, version));
    }
    const { metric, id } = SERIES[series]!;
    const atSec = Date.now() / 1000;
    this.findings.push({ kind, host: host.name, metric, id, sec, found, expected, by, atSec });
  }

  #stateOf(host: SoakHost, sec: number): number {
    return this.#accounts.get(host)!.states[sec - host.fromSec] ?? 0;
  }

  /** Makes room for a second. */
  #at(host: SoakHost, sec: number): { states: Uint8Array; index: number } {
    const account = this.#accounts.get(host)!;
    const index = sec - host.fromSec;
    if (index < 0) throw new Error(`${host.name} begins at ${host.fromSec}, not at ${sec}`);
    if (index >= account.states.length) {
      const larger = new Uint8Array(Math.max(2 * account.states.length, index + 1));
      larger.set(account.states);
      account.states = larger;
    }
    return { states: account.states, index };
  }
}

function acknowledgedIn(state: number): number {
  return (state >>> ACKNOWLEDGED_SHIFT) & SENT;
}
