import { getJson, type Parameters } from '../kit/api.js';
import type { Health, NodeHealth } from './states.js';

/** Nodes that are read at a time: what the store lists at most. */
const PAGE_NODES = 10_000;
/** States of metrics that want to be looked at. */
export const NOT_FULL = 'degraded,missing,stuck';

/** All nodes that fit, however many pages they are. */
export async function readNodes(parameters: Parameters, signal: AbortSignal): Promise<Health> {
  const hosts: NodeHealth[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await getJson<Health & { next: string | null }>(
      'api/v2/health',
      { detail: 'hosts', limit: PAGE_NODES, ...parameters, after },
      signal,
    );
    hosts.push(...page.hosts);
    if (page.next === null) return { ...page, hosts };
    after = page.next;
  }
}
