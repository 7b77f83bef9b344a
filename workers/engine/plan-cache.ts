import { nodeQuery, parseQueryRequest, queryJson } from '../../src/model/query-request.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import type { LevelTree } from './level-tree.js';
import type { Element } from './select.js';

/** Requests kept; dashboards and job views repeat a few texts. */
const REQUESTS_MAX = 256;
/** Longer texts are not kept. */
const TEXT_MAX = 65_536;
/** Series in all plans kept: 8 bytes each. */
const SERIES_MAX = 1_000_000;

/** A request with what its queries were resolved to. */
export interface Plan {
  readonly request: ParsedQuery;
  /** The tree's generation all below was made of. */
  generation: number;
  hosts: readonly string[];
  /** The request's queries, then those of all nodes. */
  items: readonly QueryItem[];
  /** Elements of each item, as far as asked for. */
  elements: (Element[] | undefined)[];
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

/** Parsed and resolved requests by their text, the least recently used go first. */
export class PlanCache {
  readonly #tree: LevelTree;
  readonly #plans = new Map<string, Plan>();
  #seriesCount = 0;

  constructor(tree: LevelTree) {
    this.#tree = tree;
  }

  /** The plan of a request's text. Throws `bad-request`. */
  get(text: string): Plan {
    const known = this.#plans.get(text);
    if (known) {
      this.#plans.delete(text);
      this.#plans.set(text, known);
      if (known.generation !== this.#tree.generation) this.#renew(known);
      return known;
    }
    const request = parseQueryRequest(text);
    const plan: Plan = {
      request,
      generation: -1,
      hosts: [],
      items: [],
      elements: [],
      queriesJson: '',
    };
    this.#renew(plan);
    if (text.length <= TEXT_MAX) {
      const oldest = this.#plans.keys().next();
      if (this.#plans.size >= REQUESTS_MAX && !oldest.done) this.#plans.delete(oldest.value);
      this.#plans.set(text, plan);
    }
    return plan;
  }

  /** Counts what plans hold; past the bound all are dropped and made anew when asked for. */
  note(elements: readonly Element[]): void {
    for (const element of elements) this.#seriesCount += element.seriesCount + 1;
    if (this.#seriesCount < SERIES_MAX) return;
    this.#seriesCount = 0;
    this.#plans.clear();
  }

  #renew(plan: Plan): void {
    const { cluster, queries, forAllNodes } = plan.request;
    plan.generation = this.#tree.generation;
    plan.hosts = forAllNodes ? this.#tree.hosts(cluster) : [];
    plan.elements = [];
    plan.queriesJson = '';
    plan.items = forAllNodes
      ? [...queries, ...plan.hosts.flatMap((host) => forAllNodes.map((m) => nodeQuery(m, host)))]
      : queries;
  }
}
