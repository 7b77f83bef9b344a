/** The status of a message that the server itself sends, as `NATS/1.0 408 Request Timeout`; code 0 = none. */
export function statusOfHeader(header: Buffer | undefined): {
  readonly code: number;
  readonly text: string;
} {
  if (!header) return { code: 0, text: '' };
  const line = header.toString('utf8', 0, Math.max(0, header.indexOf('\r\n')));
  const found = /^NATS\/\d+\.\d+\s+(\d{3})\s*(.*)$/.exec(line);
  return { code: Number(found?.[1] ?? 0), text: found?.[2]?.trim() ?? '' };
}

/** The first value of a header, whatever the case of its name; '' = there is none. */
export function headerValue(header: Buffer | undefined, name: string): string {
  if (!header) return '';
  const wanted = name.toLowerCase();
  for (const line of header.toString('utf8').split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0 && line.slice(0, colon).trim().toLowerCase() === wanted) {
      return line.slice(colon + 1).trim();
    }
  }
  return '';
}
