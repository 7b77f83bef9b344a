/** The address of a chart of metrics of a node; names are those that the page Explore reads. */
export function exploreLink(
  shown: Readonly<{ cluster: string; hosts: string; metric: string; scope?: string }>,
): string {
  const { cluster, hosts, metric, scope = 'node' } = shown;
  const query = new URLSearchParams({ cluster, metric, hosts });
  if (scope !== 'node') query.set('scope', scope);
  return `explore?${query}`;
}
