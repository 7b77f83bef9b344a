import { el, fill } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { tellError, wordsOf } from '../kit/notice.js';
import { makeShell } from '../kit/shell.js';
import { readState, writeState } from '../kit/url-state.js';
import { listClusters, listHosts, listMetrics, type MetricEntry } from '../kit/catalogue.js';
import { bandOf, CURVES_MAX, curvesOf, type MetricCurves } from './curves.js';
import { Form } from './form.js';
import { makeOutputs } from './outputs.js';
import { BANDS_MAX, Panel } from './panel.js';
import { query, type Answer } from './query.js';
import { makeRangeTools } from './ranges.js';
import type { SelectRequest } from './request.js';
import { parseTime, selected, type Range } from './times.js';
import { makeTree } from './tree.js';
import {
  bandRequestOf,
  METRICS_MAX,
  metricsOf,
  readView,
  requestOf,
  writeView,
  type View,
} from './view.js';

/** A point needs a pixel; a chart that is not laid out yet is taken to be this wide. */
const POINTS_DEFAULT = 600;
const POINTS_MIN = 100;
const POINTS_MAX = 2000;
/** Nobody goes back further. */
const RANGES_MAX = 100;
/** Left and right of the curves: the axis. */
const AXIS_PX = 70;

/** The page: a tree, a form, and what was asked for, all of it in the address. */
class ExplorePage {
  readonly #status = el('p', { role: 'status', class: 'status-line' });
  readonly #problems = el('div', { class: 'problems' });
  readonly #charts = el('div', {
    class: 'metrics',
    keydown: (event) => {
      if ((event.target as Element).matches('.chart-room'))
        this.#ranges.pressed(event as KeyboardEvent);
    },
  });
  readonly #ranges = makeRangeTools({
    ranged: (range) => this.#goRange(range),
    quick: (from) => this.#go({ ...this.#view, from, to: 'now' }),
    back: () => this.#goBack(),
  });
  readonly #outputs = makeOutputs(
    () => this.#user,
    (hasBand) => this.#go({ ...this.#view, hasBand }),
  );
  readonly #form = new Form(
    () => this.#go(this.#form.read()),
    (cluster) => void this.#suggest(cluster),
    this.#ranges.element,
  );
  readonly #panels = new Map<string, Panel>();
  readonly #metricsByCluster = new Map<string, Promise<readonly MetricEntry[]>>();
  /** Ranges before each change of them, for the way back. */
  readonly #before: Pick<View, 'from' | 'to'>[] = [];
  #view: View = readView(readState());
  #user = '';
  /** Of what is being asked: a newer question gives up the older one. */
  #asking = new AbortController();

  start(): void {
    const tree = makeTree((part) =>
      this.#go({ ...this.#form.read(), ...part, by: '', aggregate: '' }),
    );
    const shell = makeShell(
      'explore',
      el('h1', { class: 'sr' }, 'Explore'),
      el(
        'div',
        { class: 'explore' },
        tree,
        el(
          'div',
          { class: 'asked' },
          this.#form.element,
          this.#outputs.element,
          this.#status,
          this.#problems,
          this.#charts,
        ),
      ),
    );
    void shell.me.then((who) => {
      this.#user = who && who.name !== 'anonymous' ? who.name : '';
    });
    this.#form.show(this.#view);
    window.addEventListener('popstate', () => {
      this.#view = readView(readState());
      this.#form.show(this.#view);
      void this.#ask();
    });
    listClusters().then((clusters) => {
      this.#form.setClusters(clusters);
      const cluster = this.#view.cluster || (clusters[0]?.name ?? '');
      this.#view = { ...this.#view, cluster };
      this.#form.show(this.#view);
      if (clusters.length === 0) this.#say('There are no samples yet: send some to /api/write.');
      else void this.#suggest(cluster);
    }, tellError);
    void this.#ask();
  }

  #go(view: View): void {
    const { from, to } = this.#view;
    if (from !== view.from || to !== view.to) this.#before.push({ from, to });
    if (this.#before.length > RANGES_MAX) this.#before.shift();
    this.#showView(view);
  }

  #goBack(): void {
    const range = this.#before.pop();
    if (range) this.#showView({ ...this.#view, ...range });
  }

  #showView(view: View): void {
    this.#view = view;
    this.#form.show(view);
    writeState(writeView(view), true);
    void this.#ask();
  }

  #goRange({ fromSec, toSec }: Range): void {
    this.#go({ ...this.#view, from: String(fromSec), to: String(toSec) });
  }

  /** Asks what the view says and shows it, unless something else is asked meanwhile. */
  async #ask(): Promise<void> {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const view = this.#view;
    if (view.metric === '' || view.cluster === '') {
      return this.#say('Choose a metric in the tree, or write one above.');
    }
    const nowSec = Math.floor(Date.now() / 1000);
    const range = rangeOf(view, nowSec);
    if (typeof range === 'string') return this.#say(range);
    this.#ranges.show(range, nowSec, this.#before.length > 0);
    this.#say('loading …');
    this.#charts.classList.add('stale');
    try {
      const known = await this.#metricsOf(view.cluster);
      const all = metricsOf(
        view.metric,
        known.map(({ name }) => name),
      );
      const metrics = all.slice(0, METRICS_MAX);
      const hosts = await hostsOf(view, signal);
      const request = requestOf(view, metrics, range, this.#points(), hosts.text);
      const answer = await query(request, signal);
      signal.throwIfAborted();
      const notes = [
        ...(all.length > metrics.length
          ? [`${METRICS_MAX} of ${all.length} metrics are shown.`]
          : []),
        ...(hosts.note === '' ? [] : [hosts.note]),
      ];
      this.#outputs.show(range, request, view.hasBand);
      this.#show(answer, metrics, known, range, notes);
      if (view.hasBand) await this.#askBand(answer, request, metrics, known, range, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#charts.classList.remove('stale');
      this.#say('');
      fill(this.#problems, el('p', { role: 'alert' }, wordsOf(error)));
      for (const metric of this.#panels.keys()) this.#drop(metric);
    }
  }

  /** Where points stand for several samples, what these reach. */
  async #askBand(
    answer: Answer,
    request: SelectRequest,
    metrics: readonly string[],
    known: readonly MetricEntry[],
    range: Range,
    signal: AbortSignal,
  ): Promise<void> {
    const coarse = curvesOf(answer, metrics).filter(
      (shown) => shown.curves.length + shown.curvesNotShown <= BANDS_MAX && isCoarse(shown, known),
    );
    if (coarse.length === 0) return;
    const names = coarse.map(({ metric }) => metric);
    const select = request.select
      .map((one) => ({
        ...one,
        metric: [one.metric].flat().filter((name) => names.includes(name)),
      }))
      .filter(({ metric }) => metric.length > 0);
    const bands = await query(bandRequestOf({ ...request, select }), signal);
    signal.throwIfAborted();
    for (const shown of coarse) {
      const band = bandOf(shown, bands, select.length);
      this.#panels.get(shown.metric)?.show(shown, range, unitOf(known, shown.metric), band);
    }
  }

  #show(
    answer: Answer,
    metrics: readonly string[],
    known: readonly MetricEntry[],
    range: Range,
    notes: readonly string[],
  ): void {
    this.#charts.classList.remove('stale');
    const shown = curvesOf(answer, metrics);
    const drawn = shown.filter(({ values }) => values.some((some) => some.some(isValue)));
    for (const metric of this.#panels.keys()) {
      if (!drawn.some((one) => one.metric === metric)) this.#drop(metric);
    }
    for (const one of drawn)
      this.#panelOf(one).show(one, range, unitOf(known, one.metric), undefined);
    this.#charts.append(...drawn.map(({ metric }) => this.#panels.get(metric)!.element));
    const problems = answer.problems.map(({ error }) => error);
    const silent = metrics.filter((metric) => !drawn.some((one) => one.metric === metric));
    const words = silent
      .filter((metric) => !problems.some((problem) => problem.includes(metric)))
      .flatMap((metric) => this.#whyNothing(metric, known, range));
    fill(
      this.#problems,
      [...new Set(problems)].map((one) => el('p', {}, one)),
      words,
    );
    const curves = drawn.reduce((sum, one) => sum + one.curves.length, 0);
    this.#say([`${curves} ${curves === 1 ? 'curve' : 'curves'}`, ...notes].join(' · '));
  }

  /** A metric without samples in the range: when it has some. */
  #whyNothing(metric: string, known: readonly MetricEntry[], range: Range): HTMLElement[] {
    const entry = known.find(({ name }) => name === metric);
    if (!entry || entry.firstSec === null || entry.lastSec === null) {
      return [el('p', {}, `${metric}: there are no samples of it`)];
    }
    const { firstSec, lastSec } = entry;
    const where = `its samples are from ${time(firstSec)} to ${time(lastSec)}`;
    const isOutside = firstSec >= range.toSec || lastSec < range.fromSec;
    const future = range.fromSec > Date.now() / 1000 ? 'the range lies in the future; ' : '';
    const length = range.toSec - range.fromSec;
    const press = (): void => this.#goRange({ fromSec: lastSec + 1 - length, toSec: lastSec + 1 });
    const button = el('button', { type: 'button', click: press }, 'Show its newest samples');
    if (isOutside) return [el('p', {}, `${metric}: ${future}${where} `, button)];
    const scopes = entry.scopes.join(', ');
    const nothing = `${metric}: nothing in this range of what is chosen; it is stored at ${scopes}`;
    return [el('p', {}, nothing)];
  }

  #panelOf({ metric }: MetricCurves): Panel {
    let panel = this.#panels.get(metric);
    if (!panel) {
      panel = new Panel(metric, {
        zoomed: (fromSec, toSec) => this.#goRange(selected(fromSec, toSec)),
        unitChosen: (of, unit) => this.#chooseUnit(of, unit),
      });
      this.#panels.set(metric, panel);
    }
    return panel;
  }

  #chooseUnit(metric: string, unit: string): void {
    this.#go({ ...this.#view, units: { ...this.#view.units, [metric]: unit } });
  }

  #drop(metric: string): void {
    this.#panels.get(metric)?.destroy();
    this.#panels.delete(metric);
  }

  async #suggest(cluster: string): Promise<void> {
    try {
      this.#form.setMetrics(await this.#metricsOf(cluster));
    } catch (error) {
      tellError(error);
    }
  }

  #metricsOf(cluster: string): Promise<readonly MetricEntry[]> {
    let metrics = this.#metricsByCluster.get(cluster);
    if (!metrics) {
      metrics = listMetrics(cluster);
      this.#metricsByCluster.set(cluster, metrics);
      metrics.catch(() => this.#metricsByCluster.delete(cluster));
    }
    return metrics;
  }

  #points(): number {
    const width = this.#charts.clientWidth - AXIS_PX || POINTS_DEFAULT;
    return Math.min(Math.max(Math.round(width), POINTS_MIN), POINTS_MAX);
  }

  #say(text: string): void {
    fill(this.#status, text);
  }
}

/** The range of a view, or what is wrong with it. */
function rangeOf(view: View, nowSec: number): Range | string {
  const fromSec = parseTime(view.from, nowSec);
  const toSec = parseTime(view.to, nowSec);
  const wanted = 'write -6h, now, 2026-11-26 14:00 or Unix seconds';
  if (fromSec === undefined) return `From: "${view.from}" is no time; ${wanted}.`;
  if (toSec === undefined) return `To: "${view.to}" is no time; ${wanted}.`;
  if (fromSec >= toSec) return 'The range ends before it begins.';
  return { fromSec: Math.floor(fromSec), toSec: Math.ceil(toSec) };
}

/** A chart of three thousand nodes shows nothing, and costs the store much: the first ones stand for them. */
async function hostsOf(
  view: View,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly note: string }> {
  const isByHost = view.by === '' ? view.aggregate === '' : /\b(host|id)\b/.test(view.by);
  const all = { text: view.hosts, note: '' };
  if (!isByHost) return all;
  const { entries, next } = await listHosts(view.cluster, view.hosts, '', signal, CURVES_MAX);
  if (next === null) return all;
  const note = `the first ${CURVES_MAX} nodes: name fewer, or combine them`;
  return { text: entries.map(({ name }) => name).join(','), note };
}

function isCoarse({ metric, stepSec }: MetricCurves, known: readonly MetricEntry[]): boolean {
  const entry = known.find(({ name }) => name === metric);
  return entry !== undefined && stepSec > entry.stepSec;
}

function unitOf(known: readonly MetricEntry[], metric: string): string {
  return known.find(({ name }) => name === metric)?.unit ?? '';
}

function isValue(value: number | null): boolean {
  return value !== null;
}

new ExplorePage().start();
