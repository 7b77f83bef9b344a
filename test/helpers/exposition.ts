/** One family of the Prometheus text format. */
export interface ExposedFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: ExposedSample[];
}

export interface ExposedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const HEAD = /^# (HELP|TYPE) (\S+) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Reads the Prometheus text format strictly: HELP, TYPE, then all samples of a family; each family and each sample
 * once; counters end in `_total`; histograms are whole and cumulative. Throws with the line that is wrong.
 */
export function parseExposition(text: string): ReadonlyMap<string, ExposedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line is not ended');
  const families = new Map<string, ExposedFamily>();
  const seen = new Set<string>();
  let family: ExposedFamily | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const head = HEAD.exec(line);
    if (head) {
      const [, kind, name, rest] = head as unknown as [string, string, string, string];
      if (!NAME.test(name)) fail('bad name');
      if (kind === 'HELP') {
        if (help || families.has(name)) fail('HELP is there twice');
        help = { name, text: rest };
        continue;
      }
      if (help?.name !== name) fail('TYPE is not behind its HELP');
      if (!['counter', 'gauge', 'histogram'].includes(rest)) fail('unknown type');
      if ((rest === 'counter') !== name.endsWith('_total')) fail('counters end in _total');
      family = { name, type: rest as ExposedFamily['type'], help: help!.text, samples: [] };
      families.set(name, family);
      help = undefined;
      continue;
    }
    if (help) fail('HELP has no TYPE');
    const sample = SAMPLE.exec(line);
    if (!sample || !family) return fail('this is no sample');
    const [, name, labels = '', value] = sample as unknown as [string, string, string?, string?];
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => family!.name + suffix === name)) fail('of another family');
    const key = `${name}{${labels}}`;
    if (seen.has(key)) fail('this sample is there twice');
    seen.add(key);
    const number = value === '+Inf' ? Infinity : Number(value);
    if (value === '' || Number.isNaN(number)) fail('this is no number');
    family.samples.push({ name, labels: parseLabels(labels, fail), value: number });
  }
  for (const each of families.values()) if (each.type === 'histogram') checkHistogram(each);
  return families;
}

function parseLabels(text: string, fail: (why: string) => never): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (let rest = text; rest !== '';) {
    const found = LABEL.exec(rest);
    if (!found) return fail('bad labels');
    if (labels.has(found[1]!)) fail('a label is there twice');
    labels.set(found[1]!, found[2]!);
    rest = rest.slice(found[0].length);
  }
  return labels;
}

/** Buckets of one set of labels follow each other, grow, and end with all. */
function checkHistogram({ name, samples }: ExposedFamily): void {
  let bound = -Infinity;
  let count = 0;
  let of = '';
  for (const { name: part, labels, value } of samples) {
    const { le, ...others } = Object.fromEntries(labels);
    const key = JSON.stringify(others);
    if (part === `${name}_bucket`) {
      const isFirst = bound === -Infinity;
      const next = le === '+Inf' ? Infinity : Number(le);
      if (!isFirst && key !== of) throw new Error(`${name}: buckets of ${of} do not end`);
      if (!(next > bound)) throw new Error(`${name}: bucket ${le} is not above ${bound}`);
      if (!isFirst && value < count) throw new Error(`${name}: bucket ${le} is not cumulative`);
      [bound, count, of] = [next, value, key];
    } else if (key !== of || bound !== Infinity) {
      throw new Error(`${name}: ${part} without all buckets`);
    } else if (part === `${name}_count`) {
      if (value !== count) throw new Error(`${name}: _count is ${value}, not ${count}`);
      bound = -Infinity;
    }
  }
  if (bound !== -Infinity) throw new Error(`${name}: a histogram has no _count`);
}
