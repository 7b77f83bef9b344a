import { getJson } from './api.js';
import { el, fill, type Child } from './dom.js';

const PAGES: readonly (readonly [file: string, title: string])[] = [
  ['overview', 'Overview'],
  ['nodes', 'Nodes'],
  ['explore', 'Explore'],
  ['debug', 'Debug'],
];

const THEMES = { auto: 'dark', dark: 'light', light: 'auto' } as const;
type Theme = keyof typeof THEMES;

/** Who looks at the page, as `GET /api/v2/me` tells. */
export interface Me {
  readonly name: string;
  /** By permission the clusters it is limited to; null = all. */
  readonly permissions: Readonly<Record<string, readonly string[] | null>>;
}

/** The frame of a page: what all pages have in common. */
export interface Shell {
  readonly main: HTMLElement;
  /** Shown at the top: whether what is seen is live. */
  setConnected(isConnected: boolean): void;
  /** Resolves when the name is known; nothing is known where the store does not answer. */
  readonly me: Promise<Me | undefined>;
}

/** Builds head and main part of a page; `current` is its file without ending. */
export function makeShell(current: string, ...content: Child[]): Shell {
  const state = el('span', { class: 'live', role: 'status' });
  const name = el('span', { class: 'quiet' });
  const main = el('main', { id: 'main', tabindex: -1 }, content);
  fill(
    document.body,
    el('a', { class: 'skip', href: '#main' }, 'To the content'),
    el(
      'header',
      {},
      el('a', { class: 'brand', href: '../ui/overview' }, 'metricshard'),
      navigation(current),
      el('span', { class: 'fill' }),
      state,
      name,
      themeButton(),
    ),
    main,
    el('div', { id: 'notices', 'aria-live': 'polite' }),
  );
  const me = getJson<Me>('api/v2/me').catch(() => undefined);
  void me.then((who) => fill(name, who && who.name !== 'anonymous' ? who.name : ''));
  return {
    main,
    me,
    setConnected(isConnected) {
      state.className = isConnected ? 'live on' : 'live off';
      fill(state, isConnected ? 'live' : 'no connection');
    },
  };
}

function navigation(current: string): HTMLElement {
  const link = (href: string, title: string, isCurrent: boolean): HTMLElement =>
    el('a', { href, 'aria-current': isCurrent ? 'page' : undefined }, title);
  return el(
    'nav',
    { 'aria-label': 'Pages' },
    PAGES.map(([file, title]) => link(`../ui/${file}`, title, file === current)),
    link('../swagger/index.html', 'API', current === 'swagger'),
  );
}

function themeButton(): HTMLElement {
  const root = document.documentElement;
  const shown = (): Theme => (root.dataset['theme'] as Theme | undefined) ?? 'auto';
  const button = el('button', { type: 'button', class: 'quiet-button', click: () => turn() });
  const label = (): void => {
    fill(button, { auto: '◐', dark: '☾', light: '☀' }[shown()]);
    button.setAttribute('aria-label', `colours: ${shown()}; change`);
    button.title = `colours: ${shown()}`;
  };
  const turn = (): void => {
    const next = THEMES[shown()];
    if (next === 'auto') delete root.dataset['theme'];
    else root.dataset['theme'] = next;
    localStorage.setItem('theme', next);
    label();
    document.dispatchEvent(new Event('themechange'));
  };
  label();
  return button;
}
