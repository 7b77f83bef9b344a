import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { count } from '../kit/format.js';
import { makeLevelDetail } from './level-detail.js';
import type { LevelsAnswer, LevelChild } from './levels.js';
import { button, field, makeTrouble, writeAddress, type ViewContext } from './view.js';

const PAGE = 200;

/** The tree on the left, what is at the chosen level beside it. Levels are asked for when they are opened. */
export function makeTreeView(context: ViewContext): HTMLElement {
  const { state, signal } = context;
  const trouble = makeTrouble();
  const detail = makeLevelDetail(context, trouble, (path, metric) => remember(path, metric, false));
  const choose = (path: readonly string[]): void => {
    remember(path, '', true);
    tree.mark(path);
    void detail.show(path, '');
  };
  const tree = new LevelTree(signal, trouble.attempt, choose);
  const cluster = el('input', { name: 'cluster', autocomplete: 'off', size: 12 });
  const host = el('input', { name: 'host', autocomplete: 'off', size: 16 });
  const go = (event: Event): void => {
    event.preventDefault();
    const path = [cluster.value.trim(), host.value.trim()].filter((name) => name !== '');
    if (path.length > 0) choose(path);
  };
  const path = state.getAll('level');
  void tree.reveal(path);
  void detail.show(path, state.get('metric') ?? '');
  return el(
    'div',
    {},
    el(
      'form',
      { class: 'fields', submit: go },
      field('Cluster', cluster),
      field('Host', host),
      el('button', { type: 'submit' }, 'Go to'),
    ),
    trouble.element,
    el('div', { class: 'split' }, tree.element, detail.element),
  );
}

function remember(path: readonly string[], metric: string, adds: boolean): void {
  const levels = path.map((name) => ['level', name] as const);
  writeAddress([['view', 'tree'], ...levels, ['metric', metric]], adds);
}

/** A level that is listed. */
interface Item {
  readonly press: HTMLButtonElement;
  readonly below: HTMLElement;
  readonly path: readonly string[];
  readonly hasChildren: boolean;
}

/** Lists in lists, filled page by page. */
class LevelTree {
  readonly element = el('div', { class: 'tree', role: 'group', 'aria-label': 'Levels' });
  readonly #signal: AbortSignal;
  readonly #attempt: (work: () => Promise<void>) => Promise<void>;
  readonly #choose: (path: readonly string[]) => void;
  readonly #items = new Map<string, Item>();
  #marked: HTMLElement | undefined;

  constructor(
    signal: AbortSignal,
    attempt: (work: () => Promise<void>) => Promise<void>,
    choose: (path: readonly string[]) => void,
  ) {
    this.#signal = signal;
    this.#attempt = attempt;
    this.#choose = choose;
  }

  /** Opens the levels on the way to one, as far as they are on first pages. */
  async reveal(path: readonly string[]): Promise<void> {
    const root = el('ul');
    this.element.append(root);
    await this.#load(root, [], '');
    for (let depth = 1; depth < path.length; depth++) {
      const item = this.#items.get(keyOf(path.slice(0, depth)));
      if (!item) return;
      await this.#open(item, true);
    }
    this.mark(path);
    // The tree scrolls, but not the page.
    const { element } = this;
    if (this.#marked) element.scrollTop = this.#marked.offsetTop - element.clientHeight / 2;
  }

  /** Shows which level is chosen. */
  mark(path: readonly string[]): void {
    this.#marked?.removeAttribute('aria-current');
    this.#marked = this.#items.get(keyOf(path))?.press;
    this.#marked?.setAttribute('aria-current', 'true');
  }

  async #open({ press, below, path, hasChildren }: Item, isOpen: boolean): Promise<void> {
    if (!hasChildren) return;
    below.hidden = !isOpen;
    press.setAttribute('aria-expanded', String(isOpen));
    if (isOpen && below.children.length === 0) await this.#load(below, path, '');
  }

  #load(list: HTMLElement, path: readonly string[], after: string): Promise<void> {
    return this.#attempt(async () => {
      const parameters = { level: path, limit: PAGE, after };
      const answer = await getJson<LevelsAnswer>('api/v2/debug/levels', parameters, this.#signal);
      const items = answer.children.map((child) => this.#item(child, path));
      if (items.length === 0 && after === '') {
        const what = path.length === 0 ? 'nothing is in memory yet' : 'no levels below';
        items.push(el('li', { class: 'quiet' }, what));
      }
      list.append(...items);
      // Who pressed the button goes on where the new ones begin.
      if (after !== '') items[0]?.querySelector('button')?.focus();
      const { next } = answer;
      if (next === null) return;
      const more = el('li');
      const press = (): void => {
        more.remove();
        void this.#load(list, path, next);
      };
      fill(more, button('more …', press, 'quiet-button'));
      list.append(more);
    });
  }

  #item({ name, series, children }: LevelChild, parent: readonly string[]): HTMLElement {
    const path = [...parent, name];
    const below = el('ul', { hidden: true });
    const press = button(name, () => {
      this.#choose(path);
      void this.#open(item, below.hidden !== false);
    });
    const item: Item = { press, below, path, hasChildren: children > 0 };
    this.#items.set(keyOf(path), item);
    press.className = 'level';
    if (children > 0) press.setAttribute('aria-expanded', 'false');
    const counts = [
      series > 0 && `${count(series)} series`,
      children > 0 && `${count(children)} below`,
    ];
    const words = counts.filter((words) => words !== false).join(', ');
    return el('li', {}, press, el('span', { class: 'quiet' }, ` ${words}`), below);
  }
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}
