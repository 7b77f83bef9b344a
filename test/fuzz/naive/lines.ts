/** Under what lines are read. */
export interface NaiveContext {
  /** Of lines that name none. */
  readonly cluster: string;
  /** One of `s ms us ns m h`, '' = by magnitude. */
  readonly precision: string;
  readonly nowSec: number;
  readonly minSec: number;
  readonly maxSec: number;
  readonly lineBytesMax: number;
  readonly isKnown: (metric: string) => boolean;
}

export interface NaiveSample {
  readonly metric: string;
  /** Cluster, host and the levels below it. */
  readonly path: readonly string[];
  readonly value: number;
  /** Its text, for a conversion in digits. */
  readonly text: string;
  readonly unit: string;
  readonly timeSec: number;
}

/** What becomes of a line, which may be several where a text in quotes has newlines. */
export interface NaiveLine {
  readonly outcome: 'blank' | 'ignored' | 'rejected' | NaiveSample;
  readonly text: string;
}

const TAG_BYTES_MAX = 128;
const NUMBER_CHARS_MAX = 400;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER = /^([+-]?\d+i|\+?\d+u)$/;
/** Ticks of a second, or seconds of a tick. */
const TICKS: Readonly<Record<string, bigint>> = {
  s: 1n,
  ms: 1000n,
  us: 1_000_000n,
  ns: 1_000_000_000n,
};
const SECONDS: Readonly<Record<string, bigint>> = { m: 60n, h: 3600n };

// Parts of a line, as characters of one byte each. A backslash takes the next one along, but no newline.
const END = /(?:\r?\n|\r$|$)/y;
const BLANKS = /[ \t]*/y;
const NAME = /(?:\\(?=\n|$)|\\[^\n]|(?!\r?\n|\r$)[^\\, \n])*/y;
const TAG = /,((?:\\(?=\n)|\\[^\n]|[^\\, =\n])+)=((?:\\(?=\n|$)|\\[^\n]|(?!\r?\n|\r$)[^\\, \n])*)/y;
const FIELD =
  /((?:\\(?=\n)|\\[^\n]|[^\\, =\n])+)=("(?:\\[^]|[^"\\])*"(?=,| |\r?\n|\r$|$)|(?!")(?:(?!\r?\n|\r$)[^, \n])+)/y;
/** All of a line but its newline: behind the first blank texts in quotes may have others. */
const LINE =
  /(?:\\(?=\n|$)|\\[^\n]|[^\\ \n])*(?:="(?:\\[^]|[^"\\])*"(?=,| |\r?\n|\r$|$)|="[^\n]*|[^\n])*/y;
const STAMP = /(?:(?!\r?\n|\r$)[^ \n])*/y;

/** Reads bodies by the contract's text with regular expressions, a line at a time and slowly. */
export function readLines(body: Buffer, context: NaiveContext): NaiveLine[] {
  const text = body.toString('latin1');
  const lines: NaiveLine[] = [];
  for (let at = 0; at < text.length;) {
    const { outcome, until } = readLine(text, at, context);
    lines.push({ outcome, text: text.slice(at, until) });
    at = until;
  }
  return lines;
}

interface Read {
  readonly outcome: NaiveLine['outcome'];
  readonly until: number;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function endsAt(text: string, at: number): boolean {
  return matchAt(END, text, at) !== null;
}

/** Behind the next newline. */
function nextLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}

function readLine(body: string, start: number, context: NaiveContext): Read {
  const nameFrom = start + matchAt(BLANKS, body, start)![0].length;
  if (endsAt(body, nameFrom) || body[nameFrom] === '#') {
    return { outcome: 'blank', until: nextLine(body, nameFrom) };
  }
  const until = nextLine(body, nameFrom + matchAt(LINE, body, nameFrom)![0].length);
  return { outcome: outcomeOf(body.slice(nameFrom, until), until - start, context), until };
}

/** `text` is the line without blanks in front, `bytes` are with them. */
function outcomeOf(text: string, bytes: number, context: NaiveContext): NaiveLine['outcome'] {
  const rawName = matchAt(NAME, text, 0)![0];
  const metric = plain(rawName);
  if (metric !== '' && !context.isKnown(metric)) return 'ignored';
  if (metric === '' || rawName.length > TAG_BYTES_MAX || hasControl(metric)) return 'rejected';
  let at = rawName.length;
  const tags = new Map<string, string>();
  while (text[at] === ',') {
    const tag = matchAt(TAG, text, at);
    if (!tag) return 'rejected';
    tags.set(tag[1] === 'host' ? 'hostname' : tag[1]!, tag[2]!);
    at += tag[0].length;
  }
  at += matchAt(BLANKS, text, at)![0].length;
  const fields: [key: string, value: string][] = [];
  while (!endsAt(text, at)) {
    const field = matchAt(FIELD, text, at);
    if (!field) return 'rejected';
    fields.push([field[1]!, field[2]!]);
    at += field[0].length;
    if (text[at] !== ',') break;
    if (endsAt(text, ++at)) return 'rejected';
  }
  at += matchAt(BLANKS, text, at)![0].length;
  const stamp = matchAt(STAMP, text, at)![0];
  at += stamp.length;
  at += matchAt(BLANKS, text, at)![0].length;
  const isWhole = endsAt(text, at) && nextLine(text, at) === text.length;
  if (bytes > context.lineBytesMax || !isWhole) return 'rejected';
  return sampleOf(metric, tags, fields, stamp, context);
}

function hasControl(text: string): boolean {
  return [...text].some((char) => char < ' ' || char === '\x7f');
}

/** Characters of one byte each as the text that they stand for. */
function utf8(raw: string): string {
  return Buffer.from(raw, 'latin1').toString();
}

function plain(raw: string): string {
  return utf8(raw).replace(/\\([, =])/g, '$1');
}

function sampleOf(
  metric: string,
  tags: ReadonlyMap<string, string>,
  fields: readonly (readonly [string, string])[],
  stamp: string,
  context: NaiveContext,
): NaiveLine['outcome'] {
  const messages = fields.filter(([key]) => ['event', 'log', 'control'].includes(key));
  const text = fields.findLast(([key]) => key === 'value')?.[1];
  if (text === undefined) {
    return messages.length > 0 && messages.length === fields.length ? 'ignored' : 'rejected';
  }
  const path = pathOf(tags, context.cluster);
  const value = numberOf(text);
  const timeSec = stamp === '' ? context.nowSec : timeOf(stamp, context.precision);
  const isInTime = stamp === '' || (timeSec >= context.minSec && timeSec <= context.maxSec);
  if (path === undefined || !Number.isFinite(value) || !isInTime) return 'rejected';
  return { metric, path, value, text, unit: plain(tags.get('unit') ?? '').trim(), timeSec };
}

function pathOf(tags: ReadonlyMap<string, string>, usual: string): string[] | undefined {
  const tag = (key: string): string => plain(tags.get(key) ?? '');
  const cluster = tag('cluster') || usual;
  const host = tag('hostname');
  if (cluster === '' || host === '') return undefined;
  for (const key of ['cluster', 'hostname']) {
    // Only before a comma, blank or equals sign is a backslash no part of the name.
    const raw = (tags.get(key) ?? '').replace(/\\[, =]/g, '__');
    if (/[/\\]|\.\./.test(raw)) return undefined;
  }
  for (const key of ['cluster', 'hostname', 'type', 'type-id', 'stype', 'stype-id']) {
    const raw = tags.get(key) ?? '';
    if (raw.length > TAG_BYTES_MAX || hasControl(raw)) return undefined;
  }
  if (tag('type') === '' && tag('type-id') !== '') return undefined;
  if (tag('stype') === '' && tag('stype-id') !== '') return undefined;
  const third = tag('type') === 'node' ? '' : tag('type') + tag('type-id');
  return [cluster, host, third, tag('stype') + tag('stype-id')].filter((name) => name !== '');
}

/** NaN if it is no number. */
function numberOf(text: string): number {
  if (text.length > NUMBER_CHARS_MAX) return NaN;
  if (INTEGER.test(text)) return Number(text.slice(0, -1));
  return DECIMAL.test(text) ? Number(text) : NaN;
}

/** The number of such a text with its decimal point so many digits further to the right. */
export function shifted(text: string, digits: number): number {
  const [mantissa, exponent = '0'] = text.replace(/[iu]$/, '').split(/[eE]/);
  return Number(`${mantissa}e${BigInt(exponent.replace('+', '')) + BigInt(digits)}`);
}

/** NaN if it is no timestamp. */
function timeOf(text: string, precision: string): number {
  if (!/^-?\d+$/.test(text)) return NaN;
  const ticks = BigInt(text);
  const size = ticks < 0n ? -ticks : ticks;
  if (size >= 10n ** 19n) return NaN;
  let unit = precision;
  if (unit === '') {
    unit = size < 10n ** 11n ? 's' : size < 10n ** 14n ? 'ms' : size < 10n ** 17n ? 'us' : 'ns';
  }
  return Number(unit in TICKS ? ticks / TICKS[unit]! : ticks * SECONDS[unit]!);
}
