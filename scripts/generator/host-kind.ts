import { parseUnit, formatUnit } from '../../src/units/unit.js';
import { powerOfTen as powerOf, type Prefix } from '../../src/units/prefixes.js';
import { linePrefix } from '../../src/migration/line-text.js';
import { powerOfTen } from './decimal.js';
import type { HostKind, MetricPlan } from './topology.js';
import type { Source } from './shapes.js';

/** A metric in another unit: the same digits with the point elsewhere. */
export interface OtherUnit {
  readonly unit: string;
  /** What the digits are multiplied by. */
  readonly factor: number;
  readonly decimals: number;
}

/** All that is worked out once for nodes of one kind. */
export interface PreparedKind {
  readonly kind: HostKind;
  /** Of each metric. */
  readonly sources: readonly Source[];
  readonly others: readonly (OtherUnit | undefined)[];
  /** Metric of each series. */
  readonly metricOf: Int32Array;
  /** Indexes of series by the step of their metric. */
  readonly byStep: ReadonlyMap<number, Int32Array>;
  /** Bytes of lines before and behind the name of the host, of one series after the other. */
  readonly heads: Buffer;
  readonly headEnds: Int32Array;
  readonly tails: Buffer;
  readonly tailEnds: Int32Array;
  /** `,unit=… value=` of each metric in its other unit. */
  readonly otherTails: readonly Buffer[];
}

/** Stands for a host's name while a line is cut in two; no name has such a character. */
const HOST_MARK = '\u0001';
const VALUE_KEY = ' value=';

export function prepareKind(kind: HostKind, cluster: string): PreparedKind {
  const { metrics, series } = kind;
  const heads: string[] = [];
  const tails: string[] = [];
  for (const { metric, ...part } of series) {
    const line = linePrefix(cluster, HOST_MARK, { metric: metrics[metric]!.name, ...part });
    const [head = '', tail = ''] = line.split(HOST_MARK);
    heads.push(head);
    tails.push(tail.slice(0, -VALUE_KEY.length));
  }
  const others = metrics.map(otherUnitOf);
  const steps = new Map<number, number[]>();
  for (const [i, { metric }] of series.entries()) {
    const { stepSec } = metrics[metric]!;
    const list = steps.get(stepSec);
    if (list) list.push(i);
    else steps.set(stepSec, [i]);
  }
  return {
    kind,
    sources: metrics.map(({ shape, full, stepSec, decimals }) => {
      return { shape, full: Math.max(1, Math.round(full * powerOfTen(decimals))), stepSec };
    }),
    others,
    metricOf: Int32Array.from(series, ({ metric }) => metric),
    byStep: new Map([...steps].map(([step, list]) => [step, Int32Array.from(list)])),
    heads: Buffer.from(heads.join('')),
    headEnds: endsOf(heads),
    tails: Buffer.from(tails.join('')),
    tailEnds: endsOf(tails),
    otherTails: others.map((other) =>
      Buffer.from(other ? `,unit=${other.unit}${VALUE_KEY}` : VALUE_KEY),
    ),
  };
}

function endsOf(texts: readonly string[]): Int32Array {
  let end = 0;
  return Int32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
}

/** The neighbour of a prefix, where a collector that was updated would have gone. */
const NEIGHBOURS: Partial<Record<Prefix, Prefix>> = { K: 'M', M: 'G', G: 'M', T: 'G' };

/** undefined: there is no other one for it. */
function otherUnitOf({ unit, decimals }: MetricPlan): OtherUnit | undefined {
  const parsed = parseUnit(unit);
  const prefix = parsed && NEIGHBOURS[parsed.prefix];
  if (!parsed || !prefix) return undefined;
  const shift = powerOf(prefix) - powerOf(parsed.prefix);
  const moved = decimals + shift;
  return {
    unit: formatUnit({ ...parsed, prefix }),
    factor: moved < 0 ? powerOfTen(-moved) : 1,
    decimals: Math.max(0, moved),
  };
}
