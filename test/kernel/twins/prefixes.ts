/** A line as its sender means it. */
export interface Line {
  /** All before the value; of a line to ignore, all before its fields. */
  readonly prefix: string;
  /** Whether the line names its cluster; else it is the default one of its body. */
  readonly ownCluster: boolean;
  /** What follows the prefix. */
  readonly rest: string;
  /** undefined = to be ignored. */
  readonly sample?: { readonly slot: number; readonly value: number };
}

/** Where samples belong: no table, no guesses, no limit. */
export class Ledger {
  /** Samples by series; a series is its prefix and, if that needs one, the default cluster. */
  readonly series = new Map<string, Map<number, number>>();
  ignored = 0;

  static keyOf(line: Line, context: number): string {
    return `${line.ownCluster ? 0 : context} ${line.prefix}`;
  }

  take(line: Line, context: number): void {
    if (!line.sample) {
      this.ignored++;
      return;
    }
    const key = Ledger.keyOf(line, context);
    const slots = this.series.get(key) ?? new Map<number, number>();
    slots.set(line.sample.slot, line.sample.value);
    this.series.set(key, slots);
  }
}

/** Index of the first space that no backslash escapes; -1 if the line ends before. */
export function firstSpace(text: string): number {
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === ' ') return index;
    if (char === '\n') return -1;
    // A line ends at its newline, whatever is before it.
    if (char === '\\' && text[index + 1] !== '\n') index++;
  }
  return -1;
}

/** Index of the first comma that no backslash escapes: the tags of a prefix begin there. */
export function tagsAt(prefix: string): number {
  let index = 0;
  while (prefix[index] !== ',') index += prefix[index] === '\\' ? 2 : 1;
  return index;
}
