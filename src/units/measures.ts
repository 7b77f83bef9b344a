/** What a unit counts or measures, and the ways it is written. */
export interface Measure {
  /** The canonical spelling, which is also what tells measures apart. */
  readonly name: string;
  /** Spellings that mean it in this case only. */
  readonly symbols: readonly string[];
  /** Spellings in lower case; in a text they may have any. */
  readonly words: readonly string[];
  /** Things that come as wholes: there is no thousandth of a byte, so `m` before them means Mega. */
  readonly isCounted: boolean;
  /** Prefixes make sense before it: there is no kilo-percent. */
  readonly takesPrefix: boolean;
}

/** No measure: a number, a ratio; '' and `none` as a whole unit, `1` in `1/s`. */
export const NONE = measure('', ['', 'none', '1'], [], { takesPrefix: false });

const MEASURES: readonly Measure[] = [
  counted('B', ['B'], ['byte', 'bytes']),
  counted('F', ['F'], ['flop', 'flops']),
  counted('bit', [], ['bit', 'bits']),
  counted('packets', [], ['packet', 'packets', 'pkt', 'pkts']),
  counted('requests', [], ['request', 'requests', 'req', 'reqs']),
  counted('events', [], ['event', 'events']),
  counted('cycles', [], ['cycle', 'cycles', 'cyc']),
  counted('pages', [], ['page', 'pages']),
  measure('s', ['s'], ['sec', 'secs', 'second', 'seconds']),
  measure('Hz', ['Hz', 'HZ', 'hz'], ['hertz']),
  measure('W', ['W'], ['watt', 'watts']),
  measure('J', ['J'], ['joule', 'joules']),
  measure('Wh', ['Wh'], []),
  measure('RPM', [], ['rpm']),
  measure('%', ['%'], ['percent'], { takesPrefix: false }),
  measure('degC', ['°C'], ['degc', 'celsius'], { takesPrefix: false }),
  measure('degF', ['°F'], ['degf', 'fahrenheit'], { takesPrefix: false }),
  measure('IPC', [], ['ipc'], { takesPrefix: false }),
  measure('CPI', [], ['cpi'], { takesPrefix: false }),
];

const BY_SYMBOL = new Map(
  [NONE, ...MEASURES].flatMap((one) => one.symbols.map((symbol) => [symbol, one])),
);
const BY_WORD = new Map(MEASURES.flatMap((one) => one.words.map((word) => [word, one])));

/** Pages of a size that is told; how large those of a system are is not known otherwise. */
const SIZED_PAGES = /^([1-9]\d{0,3}[KMG])_pages?$/;

/** The measure that a whole word stands for, without a prefix. */
export function measureOf(word: string): Measure | undefined {
  const known = BY_SYMBOL.get(word) ?? BY_WORD.get(word.toLowerCase());
  if (known) return known;
  const sized = SIZED_PAGES.exec(word);
  return sized ? measure(`${sized[1]}_pages`, [], [], { takesPrefix: false }) : undefined;
}

function measure(
  name: string,
  symbols: readonly string[],
  words: readonly string[],
  { takesPrefix = true, isCounted = false } = {},
): Measure {
  return { name, symbols, words, isCounted, takesPrefix };
}

function counted(name: string, symbols: readonly string[], words: readonly string[]): Measure {
  return measure(name, symbols, words, { isCounted: true });
}
