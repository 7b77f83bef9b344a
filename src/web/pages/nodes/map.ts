import { el, fill } from '../kit/dom.js';
import { duration, time } from '../kit/format.js';
import { NODE_STATES, nodeLink, type NodeHealth, type NodeState } from './states.js';
import type { Change, Group, HealthModel } from './model.js';

/** Where browsers show how long it took. */
const DRAWN = 'map of nodes drawn';

/** Of so many nodes cells are smaller, so that all are seen. */
const MANY_NODES = 1500;

interface DrawnGroup {
  readonly counts: HTMLElement;
  readonly box: HTMLElement;
  /** Positions of the model in the order of cells. */
  readonly indexes: readonly number[];
}

/**
 * A cell a node, by cluster and sub-cluster: colour and letter are its state. Each sub-cluster is one stop
 * of Tab, in which arrows move.
 */
export class HealthMap {
  readonly element = el('div', {
    class: 'map',
    mouseover: (event) => this.#pointed(event.target as Element),
    mouseleave: () => this.#tell(undefined),
    click: (event) => this.#chosen(event.target as Element),
    keydown: (event) => this.#pressed(event as KeyboardEvent),
    focusin: (event) => this.#focused(event.target as Element),
    focusout: () => this.#tell(undefined),
  });
  readonly #told = el('p', { class: 'told' });
  #model: HealthModel | undefined;
  #cells: (HTMLElement | undefined)[] = [];
  #groups = new Map<Group, DrawnGroup>();
  #shown: ReadonlySet<NodeState> = new Set();
  /** What the browser will do before it shows the next picture; 0 = nothing. */
  #redrawn = 0;

  /** Draws all nodes in one of the states. */
  show(model: HealthModel, shown: ReadonlySet<NodeState>): void {
    const began = performance.now();
    window.cancelAnimationFrame(this.#redrawn);
    this.#redrawn = 0;
    const focused = this.#focusedNode();
    this.#model = model;
    this.#shown = shown;
    this.#cells = [];
    this.#groups = new Map();
    const clusters = new Map<string, HTMLElement[]>();
    for (const group of model.groups) {
      const sections = clusters.get(group.cluster) ?? [];
      clusters.set(group.cluster, sections);
      const section = this.#draw(group, model);
      if (section) sections.push(section);
    }
    const parts = [...clusters]
      .filter(([, sections]) => sections.length > 0)
      .map(([cluster, sections]) =>
        el('section', { 'aria-label': `cluster ${cluster}` }, el('h2', {}, cluster), sections),
      );
    const nothing = el(
      'p',
      { class: 'quiet' },
      'No node is so. Choose other states or nodes above.',
    );
    this.element.classList.toggle('many', model.nodes.length > MANY_NODES);
    fill(this.element, parts.length > 0 ? parts : nothing, this.#told);
    this.#tell(undefined);
    if (focused) this.#focusOn(model.indexOf(focused));
    performance.clearMeasures(DRAWN);
    performance.measure(DRAWN, { start: began });
  }

  /** One cell and one line of counts, or where states are left out all of it. */
  update({ index, group, previous }: Change): void {
    const model = this.#model!;
    const node = model.nodes[index]!;
    if (this.#shown.has(node.state) !== this.#shown.has(previous.state)) {
      // Thousands of nodes may change at once, and are drawn once.
      this.#redrawn ||= window.requestAnimationFrame(() => this.show(model, this.#shown));
      return;
    }
    const cell = this.#cells[index];
    const drawn = this.#groups.get(group);
    if (cell) setState(cell, node);
    if (drawn) drawn.counts.textContent = wordsOf(group.counts);
  }

  #draw(group: Group, model: HealthModel): HTMLElement | undefined {
    const indexes = group.indexes.filter((index) => this.#shown.has(model.nodes[index]!.state));
    if (indexes.length === 0) return undefined;
    const cells = indexes.map((index) => {
      const cell = document.createElement('div');
      cell.id = `node-${index}`;
      cell.setAttribute('role', 'option');
      setState(cell, model.nodes[index]!);
      this.#cells[index] = cell;
      return cell;
    });
    const name = group.subCluster || 'no sub-cluster';
    const counts = el('span', { class: 'quiet' }, wordsOf(group.counts));
    const box = el('div', {
      class: 'cells',
      role: 'listbox',
      tabindex: 0,
      'aria-label': `nodes of ${group.cluster}, ${name}`,
    });
    box.append(...cells);
    this.#groups.set(group, { counts, box, indexes });
    return el('div', { class: 'group' }, el('h3', {}, `${name} `, counts), box);
  }

  /** The node that arrow keys are at, if they are here. */
  #focusedNode(): NodeHealth | undefined {
    const active = document.activeElement;
    if (!active || !this.#drawnOf(active)) return undefined;
    const id = active.getAttribute('aria-activedescendant') ?? '';
    return this.#model!.nodes[Number(id.slice('node-'.length))];
  }

  #focusOn(index: number | undefined): void {
    const cell = index === undefined ? undefined : this.#cells[index];
    const drawn = cell && this.#drawnOf(cell.parentElement!);
    if (!drawn) return;
    drawn.box.setAttribute('aria-activedescendant', cell.id);
    drawn.box.focus({ preventScroll: true });
  }

  #pointed(target: Element): void {
    const index = indexOf(target);
    this.#tell(index === undefined ? undefined : this.#model!.nodes[index]);
  }

  #focused(target: Element): void {
    const drawn = this.#drawnOf(target);
    if (!drawn) return;
    const active = target.getAttribute('aria-activedescendant');
    const isThere = active !== null && document.getElementById(active) !== null;
    this.#activate(drawn, isThere ? Number(active.slice('node-'.length)) : drawn.indexes[0]!);
  }

  #activate({ box }: DrawnGroup, index: number): void {
    const cell = this.#cells[index]!;
    for (const old of box.querySelectorAll('.active')) {
      old.classList.remove('active');
      old.removeAttribute('aria-selected');
    }
    cell.classList.add('active');
    cell.setAttribute('aria-selected', 'true');
    box.setAttribute('aria-activedescendant', cell.id);
    cell.scrollIntoView({ block: 'nearest' });
    this.#tell(this.#model!.nodes[index]);
  }

  #pressed(event: KeyboardEvent): void {
    const drawn = this.#drawnOf(event.target as Element);
    const active = drawn?.box.getAttribute('aria-activedescendant');
    if (!drawn || !active || event.ctrlKey || event.metaKey || event.altKey) return;
    const { indexes } = drawn;
    const at = indexes.indexOf(Number(active.slice('node-'.length)));
    const columns = columnsOf(drawn.box);
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at + columns,
      ArrowUp: at - columns,
      Home: 0,
      End: indexes.length - 1,
    };
    const next = moves[event.key];
    if (event.key === 'Enter' || event.key === ' ') this.#open(indexes[at]!);
    else if (next === undefined) return;
    else if (next >= 0 && next < indexes.length) this.#activate(drawn, indexes[next]!);
    event.preventDefault();
  }

  #chosen(target: Element): void {
    const index = indexOf(target);
    if (index !== undefined) this.#open(index);
  }

  #open(index: number): void {
    window.location.assign(nodeLink(this.#model!.nodes[index]!));
  }

  #drawnOf(target: Element): DrawnGroup | undefined {
    return [...this.#groups.values()].find(({ box }) => box === target);
  }

  #tell(node: NodeHealth | undefined): void {
    const hint = 'Point at a node, or use arrow keys and Enter.';
    this.#told.textContent = node ? describe(node) : hint;
  }
}

/** A node in a sentence: its name, its state, since when. */
export function describe(node: NodeHealth, nowSec = Date.now() / 1000): string {
  const { host, state, sinceSec, lastSec, isFlapping } = node;
  const since = `${time(sinceSec)} (${duration(Math.max(0, nowSec - sinceSec))})`;
  const last = lastSec === null ? 'no sample yet' : `last sample ${time(lastSec)}`;
  return `${host}: ${state}${isFlapping ? ', flapping' : ''} since ${since}, ${last}`;
}

/** `84 full · 1 partial · 1 failed`, without what there is none of. */
export function wordsOf(counts: Readonly<Record<NodeState, number>>): string {
  const some = NODE_STATES.toReversed().filter((state) => counts[state] > 0);
  return some.map((state) => `${counts[state]} ${state}`).join(' · ');
}

function setState(cell: HTMLElement, { host, state, isFlapping }: NodeHealth): void {
  const isActive = cell.classList.contains('active');
  cell.className = `cell ${state}${isActive ? ' active' : ''}`;
  cell.setAttribute('aria-label', `${host}, ${state}${isFlapping ? ', flapping' : ''}`);
}

function indexOf(target: Element): number | undefined {
  return target.classList.contains('cell') ? Number(target.id.slice('node-'.length)) : undefined;
}

/** Cells in a row, as they are laid out. */
function columnsOf(box: HTMLElement): number {
  return getComputedStyle(box).gridTemplateColumns.split(' ').length;
}
