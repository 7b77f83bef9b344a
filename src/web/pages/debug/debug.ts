import { el, fill } from '../kit/dom.js';
import { makeShell } from '../kit/shell.js';
import { readState } from '../kit/url-state.js';
import { wordsOf } from '../kit/notice.js';
import type { MakeView } from './view.js';

interface ViewEntry {
  readonly title: string;
  /** Loaded when it is looked at. */
  readonly load: () => Promise<MakeView>;
}

const VIEWS: Readonly<Record<string, ViewEntry>> = {
  tree: { title: 'Level tree', load: async () => (await import('./tree-view.js')).makeTreeView },
  prefixes: {
    title: 'Prefixes',
    load: async () => (await import('./prefix-view.js')).makePrefixView,
  },
  rejected: {
    title: 'Rejected lines',
    load: async () => (await import('./rejected-view.js')).makeRejectedView,
  },
  slow: { title: 'Slow queries', load: async () => (await import('./slow-view.js')).makeSlowView },
  config: {
    title: 'Configuration',
    load: async () => (await import('./config-view.js')).makeConfigView,
  },
  log: { title: 'Log', load: async () => (await import('./log-view.js')).makeLogView },
  actions: {
    title: 'Actions',
    load: async () => (await import('./actions-view.js')).makeActionsView,
  },
};
const FIRST = 'tree';

const links = new Map<string, HTMLElement>();
const place = el('section', { class: 'view', tabindex: -1, 'aria-labelledby': 'view' });
const shell = makeShell(
  'debug',
  el('h1', {}, 'Debug'),
  el(
    'nav',
    { class: 'views', 'aria-label': 'Views' },
    Object.entries(VIEWS).map(([name, { title }]) => {
      const href = `?view=${name}`;
      const link = el('a', { href, click: (event) => follow(event, href) }, title);
      links.set(name, link);
      return link;
    }),
  ),
  place,
);
let current = new AbortController();

window.addEventListener('popstate', () => void show(false));
void show(false);

/** Within the page: no file is asked for again. */
function follow(event: Event, href: string): void {
  const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
  if (ctrlKey || metaKey || shiftKey) return;
  event.preventDefault();
  window.history.pushState(null, '', href);
  void show(true);
}

/** Shows what the address says. */
async function show(takesFocus: boolean): Promise<void> {
  current.abort();
  const { signal } = (current = new AbortController());
  const state = readState();
  const name = state.get('view') ?? FIRST;
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name]! : VIEWS[FIRST]!;
  for (const [of, link] of links) {
    if (VIEWS[of] === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${view.title} · Debug · metricshard`;
  const title = el('h2', { id: 'view' }, view.title);
  try {
    const [me, make] = await Promise.all([shell.me, view.load()]);
    if (signal.aborted) return;
    const clusters = me?.permissions['admin'];
    if (me && clusters === undefined) fill(place, title, noAdmin(me.name));
    else fill(place, title, make({ signal, state, clusters: clusters ?? null }));
  } catch (error) {
    fill(place, title, el('p', { class: 'trouble', role: 'alert' }, wordsOf(error)));
  }
  if (takesFocus) place.focus();
}

function noAdmin(name: string): HTMLElement {
  return el(
    'p',
    { class: 'trouble' },
    `You are ${name}, who may not see this: it needs the permission admin. Log in as somebody who has a role with `,
    'it, or ask whoever keeps metricshard.auth.roles.',
  );
}
