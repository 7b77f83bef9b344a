/** Prints the usage where it is asked for by `--help` or `-h`; returns whether it is. */
export function tellsUsage(argv: readonly string[], usage: string): boolean {
  const isAsked = argv.includes('--help') || argv.includes('-h');
  if (isAsked) console.log(usage);
  return isAsked;
}

/** `--from -6h` as `--from=-6h`: by itself a value that begins with a dash and a digit counts as a flag. */
export function withNegativeValues(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (const argument of argv) {
    const last = joined.at(-1);
    if (/^-\d/.test(argument) && last?.startsWith('--') && !last.includes('=')) {
      joined[joined.length - 1] = `${last}=${argument}`;
    } else joined.push(argument);
  }
  return joined;
}
