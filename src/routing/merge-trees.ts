export type JsonObject = { [key: string]: unknown };

/** Trees of different shards share cluster levels only: objects are merged, all else is unique. */
export function mergeTrees(target: JsonObject, source: JsonObject): JsonObject {
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
