import { el, fill } from '../kit/dom.js';
import { readState, writeState } from '../kit/url-state.js';
import { NODE_STATES, type ClusterHealth, type NodeState } from './states.js';

const TYPING_MS = 400;

/** Which nodes are shown, as it stands in the address. */
export interface Filter {
  readonly cluster: string;
  readonly subCluster: string;
  /** Host list or pattern. */
  readonly nodes: string;
  /** Only nodes where it is not full. */
  readonly metric: string;
  readonly states: ReadonlySet<NodeState>;
}

/** Fields of the filter; what is changed holds at once. */
export class FilterForm {
  readonly element: HTMLElement;
  readonly #cluster = select(() => this.#chosen());
  readonly #subCluster = select(() => this.#chosen());
  readonly #nodes = search('all; a[0101-0120], a01*', () => this.#typed());
  readonly #metric = search('any; clock, mem_*', () => this.#typed());
  readonly #states: readonly (readonly [NodeState, HTMLInputElement])[];
  readonly #changed: (isStateOnly: boolean) => void;
  #timer = 0;

  /** @param changed told whether only other states are wanted, which needs no question to the store. */
  constructor(changed: (isStateOnly: boolean) => void) {
    this.#changed = changed;
    this.#states = NODE_STATES.map((state) => [
      state,
      el('input', { type: 'checkbox', change: () => this.#chosen(true) }),
    ]);
    const submit = (event: Event): void => {
      event.preventDefault();
      this.#chosen();
    };
    this.element = el(
      'form',
      { class: 'fields filter', 'aria-label': 'Which nodes', submit, autocomplete: 'off' },
      el('label', {}, 'Cluster', this.#cluster),
      el('label', {}, 'Sub-cluster', this.#subCluster),
      el('label', {}, 'Nodes', this.#nodes),
      el('label', {}, 'Metric not full', this.#metric),
      el(
        'fieldset',
        {},
        el('legend', { class: 'quiet' }, 'State'),
        this.#states.map(([state, box]) => el('label', { class: 'inline' }, box, state)),
      ),
    );
    const address = readState();
    const value = (name: string): string => address.get(name) ?? '';
    offer(this.#cluster, [value('cluster')]);
    this.#cluster.value = value('cluster');
    offer(this.#subCluster, [value('sub-cluster')]);
    this.#subCluster.value = value('sub-cluster');
    this.#nodes.value = value('nodes');
    this.#metric.value = value('metric');
    const states = value('state') === '' ? NODE_STATES : value('state').split(',');
    for (const [state, box] of this.#states) box.checked = states.includes(state);
  }

  read(): Filter {
    return {
      cluster: this.#cluster.value,
      subCluster: this.#subCluster.value,
      nodes: this.#nodes.value.trim(),
      metric: this.#metric.value.trim(),
      states: new Set(this.#states.filter(([, box]) => box.checked).map(([state]) => state)),
    };
  }

  /** What there is to choose from. */
  offer(clusters: readonly ClusterHealth[]): void {
    offer(
      this.#cluster,
      clusters.map(({ cluster }) => cluster),
    );
    const { value } = this.#cluster;
    const fitting = clusters.filter(({ cluster }) => value === '' || cluster === value);
    const names = fitting.flatMap(({ subClusters }) => subClusters.map(({ name }) => name));
    offer(this.#subCluster, [...new Set(names)]);
  }

  #typed(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#chosen(), TYPING_MS);
  }

  #chosen(isStateOnly = false): void {
    window.clearTimeout(this.#timer);
    const { cluster, subCluster, nodes, metric, states } = this.read();
    const isAll = states.size === NODE_STATES.length;
    const state = isAll ? '' : [...states].join(',') || 'none';
    writeState({ cluster, 'sub-cluster': subCluster, nodes, metric, state });
    this.#changed(isStateOnly);
  }
}

function select(change: () => void): HTMLSelectElement {
  return el('select', { change }, el('option', { value: '' }, 'all'));
}

function search(placeholder: string, input: () => void): HTMLInputElement {
  return el('input', { type: 'search', placeholder, spellcheck: 'false', input });
}

/** Keeps what is chosen, also where it is not offered any more. */
function offer(element: HTMLSelectElement, values: readonly string[]): void {
  const { value } = element;
  const all = [...new Set(['', value, ...values])].sort();
  fill(
    element,
    all.map((one) => el('option', { value: one }, one || 'all')),
  );
  element.value = value;
}
