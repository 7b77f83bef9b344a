/** Hosts by cluster, as cc-backend tells them. */
export interface UsedNodes {
  readonly hosts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names that no cluster or host can have: they are left out. */
  readonly refusedNames: number;
}

/** As in lines: the names of a cluster and a host. */
const NAME_BYTES_MAX = 128;

/**
 * Reads the answer of `/api/jobs/used_nodes`: `{"usedNodes": {cluster: [hosts]}}`, or of older versions what
 * is in it. A cluster without hosts may be null.
 *
 * @throws Error that says what is wrong with it.
 */
export function parseUsedNodes(answer: unknown): UsedNodes {
  const clusters = isObject(answer) ? inside(answer) : answer;
  if (!isObject(clusters)) throw new Error(`the answer is ${kindOf(answer)}, not hosts by cluster`);
  const hosts = new Map<string, Set<string>>();
  let refusedNames = 0;
  for (const [cluster, names] of Object.entries(clusters)) {
    if (names === null) continue;
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
      throw new Error(`the hosts of cluster ${JSON.stringify(cluster)} are not a list of names`);
    }
    const known = names.filter(isName);
    refusedNames += names.length - known.length;
    if (!isName(cluster)) refusedNames++;
    else if (known.length > 0) hosts.set(cluster, new Set(known));
  }
  return { hosts, refusedNames };
}

/** A cluster may have any name, so only the form tells which of the two it is. */
function inside(answer: Record<string, unknown>): unknown {
  const { usedNodes } = answer;
  return usedNodes === null || isObject(usedNodes) ? (usedNodes ?? {}) : answer;
}

function isName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= NAME_BYTES_MAX && !/[\s\p{Cc}]/u.test(name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : `a ${typeof value}`;
}
