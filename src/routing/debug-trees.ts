/** Level trees of shards as JSON text, as one. Throws what the first one failed with if all did. */
export function joinTrees(trees: readonly PromiseSettledResult<string>[]): string {
  const texts = trees.flatMap((tree) => (tree.status === 'fulfilled' ? [tree.value] : []));
  if (texts.length === 0) throw (trees[0] as PromiseRejectedResult).reason;
  if (texts.length === 1) return texts[0]!;
  return JSON.stringify(texts.map((text) => JSON.parse(text) as JsonObject).reduce(mergeTrees));
}

type JsonObject = { [key: string]: unknown };

/** Trees of different shards share cluster levels only: objects are merged, all else is unique. */
function mergeTrees(target: JsonObject, source: JsonObject): JsonObject {
  for (const [key, value] of Object.entries(source)) {
    const mine = target[key];
    if (isObject(mine) && isObject(value)) mergeTrees(mine, value);
    else target[key] = value;
  }
  return target;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
