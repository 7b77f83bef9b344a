import type { Random } from '../helpers/random.js';
import { edgeOf } from './mutate.js';

/** When the lines of all targets arrive. */
export const NOW_SEC = 1_790_000_000;
export const RETENTION_SEC = 172_800;
export const FUTURE_SEC = 3600;

const METRICS = ['load', 'load', 'mem', 'mem', 'flops_any', 'a\\ b', 'mé', 'unseen', 'job', ''];
const CLUSTERS = ['c', 'c', 'c', 'd', 'c\\,1', 'ä', '', 'a/b', '..', 'c\\'];
const HOSTS = [
  'h1',
  'h1',
  'h2',
  'h3',
  'h4',
  'h\\ 5',
  'hö',
  'h\\=6',
  '',
  'a/b',
  'a..b',
  'x\u0001',
  '\\',
];
const TYPES = ['node', 'hwthread', 'socket', 'cpu', 'accelerator', ''];
const IDS = ['0', '1', '7', '00000000:49:00.0', '/home', ''];
const UNITS = ['MB', 'GB', 'B', 'KB', 'MBytes/s', '%', '', 'x\\ y'];
const OTHER_FIELDS = [
  'other=1',
  'event="a b"',
  'event="two\nlines"',
  'log="x=\\"1\\""',
  'control=1',
  'f=t',
  'x="',
];
const EVENTS = [
  'job,function=start_job event="id=1, n=\\"2\\"\nnext" 1',
  'job value=1',
  'load,cluster=c,hostname=h1 event="x"',
];

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join('');
}

function numberText(random: Random): string {
  switch (random.below(9)) {
    case 0:
      return edgeOf(random);
    case 1:
      return `${random.pick(['', '-', '+'])}${digits(random, 1 + random.below(25))}`;
    case 2:
      return `${random.pick(['', '-'])}${digits(random, random.below(20))}.${digits(random, random.below(20))}`;
    case 3:
      return `${digits(random, 1 + random.below(18))}e${random.pick(['', '-', '+'])}${random.below(330)}`;
    case 4:
      return `${random.pick(['', '-'])}${digits(random, 1 + random.below(19))}${random.pick(['i', 'u'])}`;
    case 5:
      return String((random.next() - 0.5) * 10 ** (random.below(40) - 20));
    default:
      return (random.below(100_000) / 100).toString();
  }
}

function stampText(random: Random): string {
  const sec = BigInt(NOW_SEC - random.below(random.pick([100, 100, 5000, RETENTION_SEC])));
  switch (random.below(12)) {
    case 0:
      return '';
    case 1:
      return ` ${sec}${digits(random, random.pick([3, 6, 9]))}`;
    case 2:
      return ` ${random.pick([NOW_SEC - RETENTION_SEC, NOW_SEC + FUTURE_SEC]) + random.below(3) - 1}`;
    case 3:
      return ` ${random.pick([sec / 60n, sec / 3600n, -sec, 10n ** BigInt(random.below(21))])}`;
    case 4:
      return ` ${edgeOf(random)}`;
    default:
      return ` ${sec}`;
  }
}

/** Tags in any order, of which most lines have those that they need. */
function tagsOf(random: Random): string {
  const tags = [`cluster=${random.chance(0.9) ? 'c' : random.pick(CLUSTERS)}`];
  if (random.chance(0.1)) tags.pop();
  const host = random.chance(0.8) ? `h${random.below(5)}` : random.pick(HOSTS);
  if (random.chance(0.97)) tags.push(`${random.pick(['hostname', 'hostname', 'host'])}=${host}`);
  if (random.chance(0.4)) {
    tags.push(`type=${random.pick(TYPES)}`);
    if (random.chance(0.8)) tags.push(`type-id=${random.pick(IDS)}`);
  }
  if (random.chance(0.15)) tags.push(`stype=${random.pick(TYPES)}`, `stype-id=${random.pick(IDS)}`);
  if (random.chance(0.15)) tags.push(`unit=${random.pick(UNITS)}`);
  if (random.chance(0.05))
    tags.push(random.pick(['rack=r7', 'x', '=1', 'x=', 'type-id=9', 'a\\=b=1']));
  if (random.chance(0.3)) tags.sort(() => random.next() - 0.5);
  return tags.map((tag) => `,${tag}`).join('');
}

function lineText(random: Random): string {
  if (random.chance(0.03)) return random.pick(EVENTS);
  if (random.chance(0.02))
    return random.pick(['', '  ', '# a comment', '\r', ',', ' value=1', 'load']);
  const metric = random.chance(0.85) ? random.pick(['load', 'mem']) : random.pick(METRICS);
  const lead = random.chance(0.03) ? random.pick([' ', '\t', '  ']) : '';
  const blank = random.chance(0.03) ? random.pick(['  ', ' \t', '\t', '']) : ' ';
  const fields = [`value=${numberText(random)}`];
  if (random.chance(0.05)) fields.push(random.pick(OTHER_FIELDS));
  if (random.chance(0.02)) fields.shift();
  if (random.chance(0.03)) fields.reverse();
  const ending = random.chance(0.05) ? random.pick(['\r', ' ', '\t', ' \r', '\r\r', ' x']) : '';
  return lead + metric + tagsOf(random) + blank + fields.join(',') + stampText(random) + ending;
}

/** A line, and others of the same tags, or of the parts beside, as collectors send them. */
function withOthers(random: Random, line: string): string[] {
  const other = (): string => {
    const next = random.chance(0.5) ? line : line.replace(/^[^,]*/, () => random.pick(METRICS));
    if (random.chance(0.5)) return next;
    return next.replace(/(type-id=)[^, ]*/, (_, key) => `${key}${random.pick(IDS)}`);
  };
  return [line, ...Array.from({ length: 1 + random.below(3) }, other)];
}

/**
 * Bodies, each behind a comment that tells how it is sent: `#body precision=ms cluster=d cut=7`. Lines
 * come again with other values, as those of a collector do, so that they are predicted.
 */
export function generateBodies(random: Random): Buffer {
  let text = '';
  const lines = Array.from({ length: 1 + random.below(6) }, () => lineText(random));
  const usual = lines.flatMap((line) => (random.chance(0.4) ? withOthers(random, line) : [line]));
  for (let body = 1 + random.below(3); body > 0; body--) {
    if (random.chance(0.5)) {
      const precision = random.pick(['', '', '', 's', 'ms', 'us', 'ns', 'm', 'h']);
      const cluster = random.pick(['', '', 'd', 'c']);
      text += `#body precision=${precision} cluster=${cluster} cut=${random.below(40)}\n`;
    }
    const sent = usual.flatMap((line) => {
      if (random.chance(0.2)) return [lineText(random)];
      if (random.chance(0.1)) return [];
      return [line.replace(/value=[\d.]+/, () => `value=${random.below(1e6) / 1000}`)];
    });
    text += sent.join('\n') + (random.chance(0.9) ? '\n' : '');
  }
  return Buffer.from(text);
}

/** How a body is sent. */
export interface SentBody {
  readonly precision: string;
  readonly cluster: string;
  /** Bytes of a piece, 0 = all at once. */
  readonly cut: number;
  readonly bytes: Buffer;
}

const HEADER = /^#body precision=(s|ms|us|ns|m|h|) cluster=([a-z]*) cut=(\d{1,3})$/;

/** Cuts an input at its comments of this form; bytes before the first are a body as well. */
export function bodiesOf(input: Buffer): SentBody[] {
  const bodies: SentBody[] = [];
  let [precision, cluster, cut, from] = ['', '', 0, 0];
  const end = (until: number): void => {
    if (until > from) bodies.push({ precision, cluster, cut, bytes: input.subarray(from, until) });
  };
  const text = input.toString('latin1');
  for (const { index, 0: line } of text.matchAll(/^#body [^\n]*/gm)) {
    const header = HEADER.exec(line);
    if (!header) continue;
    end(index);
    [, precision, cluster] = header as unknown as [string, string, string];
    cut = Number(header[3]);
    from = Math.min(input.length, index + line.length + 1);
  }
  end(input.length);
  return bodies;
}
