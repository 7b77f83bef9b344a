import { nodeQuery, parseQueryRequest, queryJson } from '../../src/model/query-request.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { TextCache } from '../../src/model/text-cache.js';
import { NO_HOSTS, type HostList } from '../../src/protocol/messages.js';
import type { LevelTree } from './level-tree.js';
import type { Element } from './select.js';
import type { Stretch } from './stretch.js';

/** The weight is series in all plans kept, 8 to 12 bytes each. */
const BOUNDS = { entriesMax: 256, charsMax: 65_536, weightMax: 1_000_000 };

/** A request with what its queries were resolved to. */
export interface Plan {
  readonly request: ParsedQuery;
  /** The tree's generation all below was made of. */
  generation: number;
  hosts: HostList;
  /** The request's queries, then those of all nodes. */
  items: readonly QueryItem[];
  /** Elements of each item, as far as asked for. */
  elements: (Element[] | undefined)[];
  /** By their first item: stretches as far as made, null where none begins. */
  stretches: (Stretch | null | undefined)[];
  /** The answer's `queries`, where it has them; empty until it is asked for. */
  queriesJson: string;
}

/**
 * The list of queries as answers to requests for all nodes show it. `items` are the plan's, or
 * those it had before it was renewed.
 */
export function queriesJsonOf(plan: Plan, items: readonly QueryItem[]): string {
  if (items !== plan.items) return `[${items.map(queryJson).join()}]`;
  if (plan.queriesJson === '') plan.queriesJson = `[${items.map(queryJson).join()}]`;
  return plan.queriesJson;
}

/** Parsed and resolved requests by their text. */
export class PlanCache {
  readonly #tree: LevelTree;
  readonly #plans = new TextCache<Plan>(BOUNDS);

  constructor(tree: LevelTree) {
    this.#tree = tree;
  }

  /** The plan of a request's text. Throws `bad-request`. */
  get(text: string): Plan {
    const known = this.#plans.get(text);
    if (known) {
      if (known.generation !== this.#tree.generation) this.#renew(known);
      return known;
    }
    const request = parseQueryRequest(text);
    const plan: Plan = {
      request,
      generation: -1,
      hosts: NO_HOSTS,
      items: [],
      elements: [],
      stretches: [],
      queriesJson: '',
    };
    this.#renew(plan);
    this.#plans.set(text, plan);
    return plan;
  }

  /** Counts what plans hold. */
  note(elements: readonly Element[]): void {
    this.#plans.note(elements.reduce((sum, { seriesCount }) => sum + seriesCount + 1, 0));
  }

  #renew(plan: Plan): void {
    const { cluster, queries, forAllNodes } = plan.request;
    plan.generation = this.#tree.generation;
    plan.hosts = forAllNodes ? this.#tree.hosts(cluster) : NO_HOSTS;
    plan.elements = [];
    plan.stretches = [];
    plan.queriesJson = '';
    plan.items = forAllNodes
      ? [
          ...queries,
          ...plan.hosts.names.flatMap((host) => forAllNodes.map((m) => nodeQuery(m, host))),
        ]
      : queries;
  }
}
