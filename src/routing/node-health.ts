import type { HealthRequest, NodeHealth } from './store.js';

/** Asks each shard about those nodes of a health check that it owns. */
export async function askOwners(
  request: HealthRequest,
  shardOf: (cluster: string, host: string) => number,
  ask: (shard: number, request: HealthRequest) => Promise<Record<string, NodeHealth>>,
): Promise<Record<string, NodeHealth>> {
  const nodesOf = new Map<number, string[]>();
  for (const node of request.nodes) {
    const shard = shardOf(request.cluster, node);
    const nodes = nodesOf.get(shard);
    if (nodes) nodes.push(node);
    else nodesOf.set(shard, [node]);
  }
  const answers = await Promise.all(
    [...nodesOf].map(([shard, nodes]) => ask(shard, { ...request, nodes })),
  );
  return Object.assign({}, ...answers) as Record<string, NodeHealth>;
}
