/** Where a server listens; port 0 lets the operating system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads "host:port" as Go does: ":8082" means every interface, an IPv6 address stands in brackets.
 *
 * @throws RangeError that names the part that is wrong.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/]*)):([^:]*)$/.exec(text);
  if (match === null) {
    throw new RangeError(
      `"${text}" is not "host:port"; examples: "127.0.0.1:8082", ":8082", "[::1]:8082"`,
    );
  }
  const port = /^\d+$/.test(match[3]) ? Number(match[3]) : NaN;
  if (!(port <= 65535)) {
    throw new RangeError(`port "${match[3]}" of "${text}" is not a number from 0 to 65535`);
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}
