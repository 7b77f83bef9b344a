import { StoreError } from '../../src/model/errors.js';
import type {
  PartialGroup,
  ResultMark,
  SelectSummary,
  SelectTask,
} from '../../src/protocol/select.js';
import type { Metric } from '../engine/metrics.js';
import type { ResultSeries } from '../output/output.js';
import { makeOutput } from '../output/outputs.js';
import { AnswerLimits } from './answer-limits.js';
import { GroupFinder } from './group-finder.js';
import { areOfOneHost, compareNames, operationOf, type ResultGroup } from './groups.js';
import { extentOf } from './extent.js';
import { groupPartials, namesOf, spanOf } from './partials.js';
import type { Run, RunTurn } from '../query-queue.js';
import { Problems } from './problems.js';
import { ResultWriter, kindOf, type ReadSlots, type ResultKind } from './result-writer.js';
import type { SelectTools } from './select-tools.js';
import { Targets } from './targets.js';
import { differenceOf, variantsOf, type KnownMetric, type Variants } from './variants.js';

/** Bytes of a piece of a streamed answer. */
const PIECE_BYTES = 1024 * 1024;
/** So many samples are read between two looks at the clock. */
const SAMPLES_BETWEEN_LOOKS = 250_000;
/** The same of low priority, whose turns are shorter. */
const LOW_SAMPLES_BETWEEN_LOOKS = 50_000;
/** To find a unit or write a result costs as much as this many samples. */
const RESULT_SAMPLES = 500;

/** Why the work stops for now. */
type Pause =
  /** The turn is over; values are in the scratch that all share. */
  | 'reading'
  /** The turn is over. */
  | 'late'
  /** The piece is full. */
  | 'full';

/**
 * One selection in work, in turns. Between them series may come and go: hosts, metrics and groups
 * are found anew then, and what was written is not written again.
 */
export class SelectRun implements Run {
  readonly #tools: SelectTools;
  readonly #task: SelectTask;
  readonly #finder: GroupFinder;
  readonly #writer: ResultWriter;
  readonly #output: ReturnType<typeof makeOutput>;
  readonly #work: Iterator<Pause, void>;
  readonly #counts: AnswerLimits;
  readonly #marks: ResultMark[] = [];
  readonly #partials: PartialGroup[] = [];
  readonly #problems = new Problems();
  readonly #results: number[];
  /** What the results that are being made are ordered by. */
  #markKey = '';
  #untilMs = 0;
  #samplesUnlooked = SAMPLES_BETWEEN_LOOKS;
  #bytesBefore = 0;
  #address = 0;
  /** No other request may have a turn before this one's next. */
  mustGoOn = false;

  constructor(tools: SelectTools, task: SelectTask) {
    this.#tools = tools;
    this.#task = task;
    this.#finder = new GroupFinder(tools, task.select);
    this.#output = makeOutput(task.form, tools, task.select);
    this.#writer = new ResultWriter(tools, this.#output);
    this.#results = task.select.select.map(() => 0);
    this.#counts = new AnswerLimits(tools.limits, this.isStreamed);
    this.#work = task.finish ? this.#finishAll(task.finish) : this.#all();
  }

  /** Its pieces go to the client as they come: no more are made than it takes. */
  get isStreamed(): boolean {
    return this.#task.form !== 'json';
  }

  /** Works until `untilMs` (of `performance.now()`) or to the end; writes to `address` … `end`. */
  turn(address: number, end: number, untilMs: number): RunTurn {
    const { writer } = this.#tools;
    this.#address = address;
    this.#untilMs = untilMs;
    writer.begin(address, end);
    try {
      const { done, value } = this.#work.next();
      this.#output.flush();
      // What the next turn writes begins a piece of its own.
      this.#mark();
      this.mustGoOn = value === 'reading';
      const bytes = writer.at - address;
      this.#bytesBefore += bytes;
      if (!done) return { bytes, isDone: false, points: this.#counts.points };
      return { bytes, isDone: true, result: { select: this.#summary() } };
    } catch (error) {
      this.mustGoOn = false;
      if (!(error instanceof StoreError)) throw error;
      // What this turn has written is of no use; without it the error can be told, if it is the first.
      return { bytes: 0, isDone: true, result: { error: error.toData() } };
    }
  }

  #summary(): SelectSummary {
    return {
      marks: this.#marks,
      partials: this.#partials,
      results: this.#results,
      problems: this.#problems.list,
      points: this.#counts.points,
    };
  }

  *#all(): Generator<Pause, void> {
    const { select } = this.#task;
    for (let index = 0; index < select.select.length; index++) yield* this.#selection(index);
  }

  *#selection(select: number): Generator<Pause, void> {
    const { tree, metrics, topologies } = this.#tools;
    const selection = this.#task.select.select[select]!;
    const targets = new Targets(selection, tree, topologies);
    const { known, unknown, absent } = targets.metricsOf(metrics, this.#task.select.clusters);
    for (const name of unknown) this.#problems.add(select, `unknown metric: ${name}`);
    for (const name of absent) this.#addAbsence(select, name, new Map(), targets);
    for (const metric of known) {
      const before = this.#told(select);
      if (areOfOneHost(selection)) yield* this.#hostByHost(select, metric, targets);
      else yield* this.#overHosts(select, metric, targets);
      if (this.#told(select) > before) continue;
      this.#addAbsence(select, metric.name, metric.variants, targets);
    }
  }

  /** What was said of a selection so far. */
  #told(select: number): number {
    return this.#results[select]! + this.#partials.length + this.#problems.list.length;
  }

  #addAbsence(select: number, name: string, variants: Variants, targets: Targets): void {
    this.#problems.addAbsence(this.#tools, this.#task.select, select, name, variants, targets);
  }

  /** undefined: it can not be answered, which was told. */
  #kindOf(select: number, metric: Metric): ResultKind | undefined {
    try {
      return kindOf(this.#task.select, select, metric, this.#tools.unitOf);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#problems.add(select, `metric ${metric.name}: ${error.message}`);
      return undefined;
    }
  }

  /** Each host for itself, so that clusters may have the metric at steps of their own. */
  *#hostByHost(
    select: number,
    { variants }: KnownMetric,
    targets: Targets,
  ): Generator<Pause, void> {
    const kinds = new Map<Metric, ResultKind | undefined>();
    for (const metric of new Set(variants.values())) {
      kinds.set(metric, this.#kindOf(select, metric));
      // What is wrong with it was told, and is the same for all.
      if (!kinds.get(metric)) return;
    }
    for (const [index, cluster] of this.#task.select.clusters.entries()) {
      const kind = kinds.get(variants.get(cluster)!);
      if (!kind) continue;
      for (const name of targets.hostsOf(cluster)) {
        if (this.#isLate(RESULT_SAMPLES)) yield 'late';
        this.#beginMark(kind, index, name);
        yield* this.#groups(kind, () => this.#finder.ofHost(cluster, name, kind, targets));
        this.#mark();
      }
    }
  }

  /** Groups of many hosts: of all clusters at once where these agree on what the metric is. */
  *#overHosts(
    select: number,
    { name, variants }: KnownMetric,
    targets: Targets,
  ): Generator<Pause, void> {
    const { clusters, select: selections } = this.#task.select;
    const known = clusters.filter((cluster) => variants.has(cluster));
    const difference = differenceOf(variants, selections[select]!);
    const isByCluster = selections[select]!.by?.includes('cluster') === true;
    if (difference !== '' && !isByCluster) {
      const error = `metric ${name}: its ${difference}; ask for one cluster at a time, or by cluster`;
      this.#problems.add(select, error);
      return;
    }
    const parts = difference === '' ? [known] : known.toSorted().map((cluster) => [cluster]);
    for (const part of parts) {
      const kind = this.#kindOf(select, variants.get(part[0]!)!);
      if (!kind) return;
      this.#beginMark(kind, 0, '');
      yield* this.#groups(kind, () => this.#finder.ofClusters(part, kind, variants, targets));
      this.#mark();
    }
  }

  /** Groups in their order; where the tree has changed since, those that are left are found anew. */
  *#groups(kind: ResultKind, find: () => ResultGroup[]): Generator<Pause, void> {
    const { tree } = this.#tools;
    let { generation } = tree;
    let groups = find();
    for (let index = 0; index < groups.length; index++) {
      let isWritten = false;
      for (let attempts = 0; !isWritten; attempts++) {
        if (tree.generation !== generation) {
          ({ generation } = tree);
          const { names } = groups[index]!;
          groups = find();
          // This one or, where it is gone, the one that comes behind it.
          index = groups.findIndex((group) => compareNames(group.names, names) >= 0);
          if (index < 0) return;
        }
        // Once it was in vain: then in one go, or where series come all the time it would never end.
        isWritten = yield* this.#group(kind, groups[index]!, attempts > 0);
      }
    }
  }

  /** Writes a group; false if the tree changed on the way, and nothing was written. */
  *#group(kind: ResultKind, group: ResultGroup, isInOneGo: boolean): Generator<Pause, boolean> {
    const { tree, combiner } = this.#tools;
    const { generation } = tree;
    const seriesCount = group.parts.reduce((sum, part) => sum + part.seriesCount, 0);
    if (this.#cannotCombine(kind, seriesCount)) {
      if (!this.#isPartial(kind)) this.#refuse(kind, seriesCount);
      // Refused when the parts of all shards are known.
      else this.#partials.push(this.#writer.emptyPartial(kind, group.names, seriesCount));
      return true;
    }
    const draft = this.#writer.draft(kind, group.names, seriesCount);
    if (this.#needsRoom(draft)) yield 'full';
    if (tree.generation !== generation) return false;
    this.#tools.writer.need(this.#output.bytesMax(draft));
    // What is a part only becomes points when all parts are there.
    this.#count(this.#isPartial(kind) ? 0 : draft.count, seriesCount);
    combiner.reset();
    const slots = this.#slotsOf(kind, group);
    const stored = this.#isPartial(kind) ? 0 : storedSeries(kind, group);
    if (stored !== 0) {
      this.#samplesUnlooked += slots.count;
      this.#writer.writeStored(kind, draft, stored, slots);
    } else if (!(yield* this.#combine(kind, group, draft, slots, isInOneGo))) return false;
    if (!this.#isPartial(kind)) this.#results[kind.select]!++;
    return true;
  }

  #cannotCombine({ selection, metric }: ResultKind, seriesCount: number): boolean {
    return operationOf(selection, metric) === null && seriesCount > 1;
  }

  #refuse({ select, metric }: ResultKind, seriesCount: number): void {
    const error = `metric ${metric.name} has no aggregation, and ${seriesCount} series are asked for as one; name one with "aggregate"`;
    this.#problems.add(select, error);
  }

  /** Whether other shards may have a part of the same group. */
  #isPartial({ selection }: ResultKind): boolean {
    return this.#task.isShared && !areOfOneHost(selection);
  }

  *#combine(
    kind: ResultKind,
    group: ResultGroup,
    draft: ResultSeries,
    slots: ReadSlots,
    isInOneGo: boolean,
  ): Generator<Pause, boolean> {
    const { tree, accumulator, combiner } = this.#tools;
    const { generation } = tree;
    const operation = operationOf(kind.selection, kind.metric) ?? 'sum';
    let accumulated = accumulator.begin(operation, slots.count);
    for (const part of group.parts) {
      accumulator.add(accumulated, part, slots.from, slots.count);
      if (!this.#isLate(slots.count * part.seriesCount) || isInOneGo) continue;
      if (this.#task.isLow) {
        // Others must not wait until it goes on.
        const aside = accumulator.setAside(accumulated, slots.count);
        yield 'late';
        combiner.reset();
        accumulated = accumulator.takeUp(aside);
      } else yield 'reading';
      if (tree.generation !== generation) return false;
    }
    if (this.#isPartial(kind)) {
      const { names } = group;
      const partial = this.#writer.partial(kind, names, draft.seriesCount, accumulated, slots);
      this.#partials.push(partial);
      this.#counts.addPartial(partial);
    } else this.#writer.writeCombined(kind, draft, accumulated, slots);
    return true;
  }

  /** Groups of which every shard had a part. */
  *#finishAll(partials: readonly PartialGroup[]): Generator<Pause, void> {
    const { accumulator, combiner } = this.#tools;
    for (const parts of partials.length === 0 ? [] : groupPartials(partials)) {
      const [first] = parts;
      const metric = this.#metricOf(parts);
      const kind = metric && this.#kindOf(first!.select, metric);
      if (!kind) continue;
      const seriesCount = parts.reduce((sum, part) => sum + part.seriesCount, 0);
      if (this.#cannotCombine(kind, seriesCount)) {
        this.#refuse(kind, seriesCount);
        continue;
      }
      const draft = this.#writer.draft(kind, namesOf(first!), seriesCount);
      if (this.#needsRoom(draft)) yield 'full';
      this.#tools.writer.need(this.#output.bytesMax(draft));
      this.#count(draft.count, seriesCount);
      combiner.reset();
      const slots = spanOf(parts);
      const accumulated = accumulator.begin(first!.operation, slots.count);
      for (const part of parts) accumulator.addPartial(accumulated, part, slots.from);
      this.#beginMark(kind, 0, '');
      this.#writer.writeCombined(kind, draft, accumulated, slots);
      this.#results[kind.select]!++;
      this.#mark();
      if (this.#isLate(slots.count * parts.length)) yield 'late';
    }
  }

  /** undefined: shards do not agree on it, which was told. */
  #metricOf(parts: readonly PartialGroup[]): Metric | undefined {
    const { metric: name, cluster, stepSec, select } = parts[0]!;
    const clusters = cluster === '' ? this.#task.select.clusters : [cluster];
    const [metric] = variantsOf(this.#tools.metrics, name, clusters).values();
    if (metric && parts.every((part) => part.stepSec === metric.stepSec)) return metric;
    const error = `metric ${name}: its step is being changed from or to ${stepSec} s; ask again in a moment`;
    this.#problems.add(select, error);
    return undefined;
  }

  /** What is read: no more than is there, where a long time is asked for. */
  #slotsOf({ shape }: ResultKind, { parts }: ResultGroup): ReadSlots {
    const { firstSlot, slotCount } = shape;
    const { first, end } = extentOf(this.#tools, parts, firstSlot, slotCount);
    return { from: first, count: Math.max(0, end - first) };
  }

  #needsRoom(draft: ResultSeries): boolean {
    const { writer } = this.#tools;
    const written = writer.at - this.#address;
    const isFull = written >= PIECE_BYTES || !writer.hasRoom(this.#output.bytesMax(draft));
    return written > 0 && isFull;
  }

  #count(points: number, seriesCount: number): void {
    this.#counts.addResult(points, seriesCount, this.#written());
  }

  /** Bytes since the begin. */
  #written(): number {
    return this.#bytesBefore + this.#tools.writer.at - this.#address;
  }

  /** What comes is of one metric and host (or of all); `cluster`: its place in the request. */
  #beginMark({ select, metric }: ResultKind, cluster: number, host: string): void {
    const [first, second] = [select, cluster].map((index) => String(index).padStart(6, '0'));
    this.#markKey = [first, metric.name, second, host].join('\u0001');
  }

  /** Ends what the front puts among the results of other shards. */
  #mark(): void {
    const { isShared, finish } = this.#task;
    if (this.isStreamed || (!isShared && !finish)) return;
    // So that it stands for itself, wherever its place will be.
    this.#output.flush();
    const end = this.#written();
    if (end > (this.#marks.at(-1)?.end ?? 0)) this.#marks.push({ key: this.#markKey, end });
  }

  /** Whether the turn is over. */
  #isLate(samples: number): boolean {
    this.#samplesUnlooked += samples;
    const lookAt = this.#task.isLow ? LOW_SAMPLES_BETWEEN_LOOKS : SAMPLES_BETWEEN_LOOKS;
    if (this.#samplesUnlooked < lookAt) return false;
    this.#samplesUnlooked = 0;
    const nowMs = performance.now();
    this.#counts.checkTime(nowMs);
    return nowMs > this.#untilMs;
  }
}

/** The series that is the group's value as it is stored; 0 = there is more to it. */
function storedSeries({ selection }: ResultKind, { parts }: ResultGroup): number {
  const [part] = parts;
  if (parts.length !== 1 || part!.seriesCount !== 1 || selection.aggregate === 'count') return 0;
  return part!.units.list[0]!.group.series[0] ?? 0;
}
