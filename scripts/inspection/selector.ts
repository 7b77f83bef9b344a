/** Which series are listed: those at or below a path, of one metric or all. */
export interface Selector {
  /** `cluster/host/level/…`; '' = all. */
  readonly path: string;
  /** '' = all. */
  readonly metric: string;
}

/** `alex/a0101/hwthread0,clock`: the path, then a comma and the metric; either may be left out. */
export function parseSelector(text: string): Selector {
  const comma = text.lastIndexOf(',');
  const path = comma < 0 ? text : text.slice(0, comma);
  return { path: path.replace(/\/+$/, ''), metric: comma < 0 ? '' : text.slice(comma + 1).trim() };
}

/** Whether a series is selected. `path` has names of levels between slashes. */
export function isSelected(selector: Selector, path: string, metric: string): boolean {
  if (selector.metric !== '' && selector.metric !== metric) return false;
  if (selector.path === '' || selector.path === path) return true;
  return path.startsWith(`${selector.path}/`);
}

/** `cluster/host/hwthread7`, of types and ids of the levels below the host in turn. */
export function pathText(cluster: string, host: string, path: readonly string[]): string {
  let text = `${cluster}/${host}`;
  for (let i = 0; i + 1 < path.length; i += 2) text += `/${path[i]}${path[i + 1]}`;
  return text;
}
