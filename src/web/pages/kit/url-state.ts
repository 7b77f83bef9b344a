/** What a page shows, kept in its address: a link to it shows the same. */
export function readState(): URLSearchParams {
  return new URLSearchParams(window.location.search);
}

/** Writes the address; '' and undefined are left out. `adds`: the way back leads to what was before. */
export function writeState(
  fields: Readonly<Record<string, string | number | undefined>>,
  adds = false,
): void {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  const url = window.location.pathname + (text === '' ? '' : `?${text}`);
  // What is shown already is no step on the way back.
  const isOther = url !== window.location.pathname + window.location.search;
  if (adds && isOther) window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
}
