import { Batch } from './batch.js';
import type { Faults } from './faults.js';
import { prepareKind, type PreparedKind } from './host-kind.js';
import { MadeUpHost, type Rules } from './made-up-host.js';
import type { HostKind, Topology } from './topology.js';

/** Clocks that are further apart may be taken for ones that are behind, with jitter on top of it. */
const PHASE_DOUBTLESS = 0.1;

export interface DataOptions {
  readonly seed: number;
  readonly faults: Faults;
  /**
   * Share of the shortest step that the clocks of nodes are apart, default a tenth: what a store must
   * hold is beyond doubt then. 1 spreads the load evenly.
   */
  readonly phase?: number;
}

/** The hosts of a topology with what they send. The same options give the same, on every machine. */
export class MadeUpData {
  readonly hosts: readonly MadeUpHost[];
  /** Every step is a multiple of it. */
  readonly tickSec: number;
  readonly roundSec: number;
  readonly #steps: readonly number[];

  constructor(topology: Topology, { seed, faults, phase = PHASE_DOUBTLESS }: DataOptions) {
    const kinds = new Set(topology.hosts.map(({ kind }) => kind));
    const steps = [...kinds].flatMap(({ metrics }) => metrics.map(({ stepSec }) => stepSec));
    this.#steps = [...new Set(steps)];
    this.tickSec = this.#steps.reduce(greatestDivisor);
    this.roundSec = Math.max(...this.#steps);
    const phaseSec = Math.floor(Math.min(...this.#steps) * phase);
    const rules: Rules = { seed, faults, phaseSec, roundSec: this.roundSec };
    const prepared = new Map<HostKind, Map<string, PreparedKind>>();
    this.hosts = topology.hosts.map((plan) => {
      const byCluster = prepared.get(plan.kind) ?? new Map<string, PreparedKind>();
      prepared.set(plan.kind, byCluster);
      const kind = byCluster.get(plan.cluster) ?? prepareKind(plan.kind, plan.cluster);
      byCluster.set(plan.cluster, kind);
      return new MadeUpHost(plan, kind, rules);
    });
  }

  /** Lines of a second at which all metrics are sent, if nothing is missing. */
  get seriesCount(): number {
    return this.hosts.reduce((sum, { prepared }) => sum + prepared.metricOf.length, 0);
  }

  /** Whether something is sent in the round that begins at a second. */
  isTick(timeSec: number): boolean {
    return this.#steps.some((stepSec) => timeSec % stepSec === 0);
  }

  /** Seconds of [from, until) at which something is sent, in rising order. */
  *ticks(fromSec: number, untilSec: number): Generator<number> {
    const first = Math.ceil(fromSec / this.tickSec) * this.tickSec;
    for (let tickSec = first; tickSec < untilSec; tickSec += this.tickSec) {
      if (this.isTick(tickSec)) yield tickSec;
    }
  }

  /**
   * Each batch of [from, until), in the order they are sent, at the end what was still on its way. The
   * batch is good until the next one. Hosts go on from what they were: of one object only later
   * times can be asked for. What a host sends does not depend on which others are asked.
   */
  *batches(
    fromSec: number,
    untilSec: number,
    hosts: readonly MadeUpHost[] = this.hosts,
  ): Generator<[MadeUpHost, Batch]> {
    const batch = new Batch();
    for (const tickSec of this.ticks(fromSec, untilSec)) {
      for (const host of hosts) {
        batch.clear();
        host.send(tickSec, batch);
        if (batch.count > 0) yield [host, batch];
      }
    }
    for (const host of hosts) {
      batch.clear();
      host.sendRest(batch);
      if (batch.count > 0) yield [host, batch];
    }
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
