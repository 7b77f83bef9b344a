import { ask, getJson, urlOf } from '../kit/api.js';
import { el } from '../kit/dom.js';
import { subscribe } from '../kit/events.js';
import { wordsOf } from '../kit/notice.js';
import { repeat } from '../kit/repeat.js';
import { makeShell } from '../kit/shell.js';
import { setText } from '../kit/text.js';
import type { HealthAnswer, HistoryAnswer, Rates, Status } from './answers.js';
import { makeCharts } from './charts.js';
import { factsPanel } from './facts.js';
import { healthPanel } from './health.js';
import { History } from './history.js';
import { natsPanel } from './nats.js';
import type { Panel } from './panel.js';
import { problemsPanel } from './problems.js';
import { reasonsPanel } from './reasons.js';
import { shardsPanel } from './shards.js';
import { makeTiles } from './tiles.js';

/** Changes of nodes come one by one: the sums are asked for at most so often. */
const HEALTH_WAIT_MS = 10_000;
const HEALTH_SEC = 30;

const tiles = makeTiles();
const charts = makeCharts();
const health = healthPanel();
const [problems, reasons, shards, nats, facts] = [
  problemsPanel(),
  reasonsPanel(),
  shardsPanel(),
  natsPanel(),
  factsPanel(),
];
const panels: readonly Panel[] = [tiles, problems, reasons, shards, nats, facts];
const trouble = el('p', { class: 'trouble', role: 'alert', hidden: true });
const troubles = new Map<string, string>();
const history = new History();

const shell = makeShell(
  'overview',
  el('h1', {}, 'Overview'),
  trouble,
  problems.element,
  tiles.element,
  el('section', { class: 'panel', 'aria-label': 'Nodes' }, health.element),
  el('h2', { id: 'hour' }, 'The last hour'),
  charts.element,
  el('section', { class: 'panel', 'aria-label': 'Shards' }, shards.element),
  el('section', { class: 'panel', 'aria-label': 'Lines not stored' }, reasons.element),
  nats.element,
  facts.element,
);

subscribe(
  'api/v2/live',
  {},
  {
    rates: (data) => showRates(data as Rates),
    status: (data) => showStatus(data as Status),
  },
  (isConnected) => {
    shell.setConnected(isConnected);
    // Whatever came while nobody listened is in the store's own history.
    if (isConnected) void attempt('live', loadHistory);
    else void attempt('live', tryLive);
  },
);

// What has not changed for long, such as a node that came and has been full since, is no event.
repeat(HEALTH_SEC, () => attempt('health', loadHealth), new AbortController().signal);
let healthTimer = 0;
subscribe('api/v2/health/events', {}, { health: healthChanged, missed: healthChanged });

function showRates(rates: Rates): void {
  for (const panel of panels) panel.setRates?.(rates);
  if (history.add(rates)) charts.show(history);
}

function showStatus(status: Status): void {
  for (const panel of panels) panel.setStatus?.(status);
}

async function loadHistory(): Promise<void> {
  history.load(await getJson<HistoryAnswer>('api/v2/history', { seconds: 3600 }));
  charts.show(history);
}

async function loadHealth(): Promise<void> {
  health.setHealth(await getJson<HealthAnswer>('api/v2/health', { detail: 'clusters' }));
}

function healthChanged(): void {
  if (healthTimer !== 0) return;
  healthTimer = window.setTimeout(() => {
    healthTimer = 0;
    if (!document.hidden) void attempt('health', loadHealth);
  }, HEALTH_WAIT_MS);
}

/** A stream of events that is refused does not tell why; a request does. */
async function tryLive(): Promise<void> {
  const stopping = new AbortController();
  await ask(urlOf('api/v2/live'), { signal: stopping.signal });
  stopping.abort();
}

/** What fails is said where everybody looks, until it goes well again. */
async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    troubles.delete(what);
  } catch (error) {
    troubles.set(what, wordsOf(error));
  }
  setText(trouble, [...new Set(troubles.values())].join('; '));
  trouble.hidden = troubles.size === 0;
}
