import { el, fill } from '../kit/dom.js';
import { wordsOf } from '../kit/notice.js';

/** Something in the tree. */
export interface Item {
  readonly label: string;
  /** Said behind the label, quietly. */
  readonly note?: string;
  /** The page of what lies below; absent: nothing does. */
  readonly load?: (after: string, signal: AbortSignal) => Promise<ItemPage>;
  /** Told when it is chosen, where nothing lies below. */
  readonly choose?: () => void;
}

export interface ItemPage {
  readonly items: readonly Item[];
  /** What `load` is told for the next page; null = this was the last one. */
  readonly next: string | null;
}

/** A tree that is loaded as it is opened, for mouse and keyboard as the ARIA practices want it. */
export class TreeView {
  readonly element: HTMLElement;
  readonly #items = new WeakMap<Element, Item>();
  #loading = new AbortController();

  constructor(label: string) {
    this.element = el('ul', {
      role: 'tree',
      class: 'tree',
      'aria-label': label,
      click: (event) => this.#clicked(event.target as Element),
      keydown: (event) => this.#pressed(event as KeyboardEvent),
    });
  }

  /** Shows a root's items; those with `isOpen` are opened at once. What was being loaded is given up. */
  show(root: Required<Pick<Item, 'load'>>, isOpen: (item: Item) => boolean): void {
    this.#loading.abort();
    this.#loading = new AbortController();
    fill(this.element);
    void this.#fill(this.element, root.load, '').then((made) => {
      for (const node of made) if (isOpen(this.#items.get(node)!)) void this.#open(node);
    });
  }

  /** Adds a page to a list; resolves to what was added. */
  async #fill(
    list: Element,
    load: NonNullable<Item['load']>,
    after: string,
  ): Promise<readonly Element[]> {
    const { signal } = this.#loading;
    const waiting = el('li', { class: 'quiet', role: 'none' }, 'loading …');
    list.append(waiting);
    let page: ItemPage;
    try {
      page = await load(after, signal);
    } catch (error) {
      if (!signal.aborted) {
        const again: Item = { label: wordsOf(error), note: 'again', load };
        waiting.replaceWith(this.#more(list, again, after));
      }
      return [];
    }
    const made = page.items.map((item) => this.#node(item));
    const { next } = page;
    const more = next === null ? [] : [this.#more(list, { label: 'more …', load }, next)];
    if (made.length === 0) fill(waiting, 'nothing here');
    else waiting.replaceWith(...made, ...more);
    this.#keepTabStop();
    return made;
  }

  /** An item that loads more into the list that it stands in. */
  #more(list: Element, { label, note, load }: Item, after: string): Element {
    const node: Element = this.#node({
      label,
      note,
      choose: () => {
        const before = node.previousElementSibling;
        node.remove();
        void this.#fill(list, load!, after).then(([first]) => focus(first ?? before));
      },
    });
    return node;
  }

  #node(item: Item): Element {
    const row = el(
      'span',
      { class: 'row' },
      item.label,
      item.note && el('span', { class: 'quiet' }, ` ${item.note}`),
    );
    const isBranch = item.load !== undefined;
    const expanded = isBranch ? 'false' : undefined;
    const node = el(
      'li',
      { role: 'treeitem', tabindex: -1, 'aria-expanded': expanded, 'aria-label': item.label },
      row,
    );
    this.#items.set(node, item);
    return node;
  }

  async #open(node: Element): Promise<void> {
    node.setAttribute('aria-expanded', 'true');
    if (node.querySelector(':scope > ul')) return;
    const list = el('ul', { role: 'group' });
    node.append(list);
    await this.#fill(list, this.#items.get(node)!.load!, '');
  }

  #act(node: Element): void {
    if (node.getAttribute('aria-expanded') === 'false') void this.#open(node);
    else if (node.hasAttribute('aria-expanded')) node.setAttribute('aria-expanded', 'false');
    else this.#items.get(node)?.choose?.();
  }

  #clicked(target: Element): void {
    const node = target.closest('[role="treeitem"]');
    if (!node || !target.closest('.row')) return;
    focus(node);
    this.#keepTabStop(node);
    this.#act(node);
  }

  #pressed(event: KeyboardEvent): void {
    const node = (event.target as Element).closest('[role="treeitem"]');
    if (!node || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = this.#visible();
    const at = all.indexOf(node);
    const isOpen = node.getAttribute('aria-expanded') === 'true';
    const steps: Record<string, () => Element | undefined | null> = {
      ArrowDown: () => all[at + 1],
      ArrowUp: () => all[at - 1],
      Home: () => all[0],
      End: () => all.at(-1),
      ArrowRight: () => (isOpen ? node.querySelector('[role="treeitem"]') : this.#opened(node)),
      ArrowLeft: () =>
        isOpen ? this.#closed(node) : node.parentElement?.closest('li[role="treeitem"]'),
      Enter: () => this.#acted(node),
      ' ': () => this.#acted(node),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next = step();
    if (!next) return;
    this.#keepTabStop(next);
    focus(next);
  }

  #opened(node: Element): undefined {
    if (node.hasAttribute('aria-expanded')) void this.#open(node);
  }

  #closed(node: Element): undefined {
    node.setAttribute('aria-expanded', 'false');
  }

  #acted(node: Element): undefined {
    this.#act(node);
  }

  #visible(): Element[] {
    const closed = '[aria-expanded="false"] [role="treeitem"]';
    return [...this.element.querySelectorAll('[role="treeitem"]')].filter(
      (node) => !node.matches(closed),
    );
  }

  /** One item of the tree is where Tab goes to. */
  #keepTabStop(wanted?: Element): void {
    const present = this.element.querySelector('[role="treeitem"][tabindex="0"]');
    const next = wanted ?? present ?? this.element.querySelector('[role="treeitem"]');
    if (present && present !== next) present.setAttribute('tabindex', '-1');
    next?.setAttribute('tabindex', '0');
  }
}

function focus(node: Element | null | undefined): void {
  (node as HTMLElement | null | undefined)?.focus();
}
