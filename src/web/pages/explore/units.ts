/** A measure as metrics have it, and the prefixes that are of use for it on clusters. */
interface Measure {
  readonly name: string;
  readonly spelling: RegExp;
  readonly prefixes: readonly string[];
}

const DECIMAL = ['', 'K', 'M', 'G', 'T', 'P'];
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti'];
const PREFIX = /^(?:[KkMGTPE]i|[nuµmKkMGTPE])(?=.)/;

const MEASURES: readonly Measure[] = [
  { name: 'B', spelling: /^(B|bytes?)$/i, prefixes: [...DECIMAL, ...BINARY] },
  { name: 'bit', spelling: /^bits?$/i, prefixes: DECIMAL },
  { name: 'F', spelling: /^(F|flops?)$/i, prefixes: DECIMAL },
  { name: 'packets', spelling: /^(packets?|pkts?)$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 'requests', spelling: /^(requests?|reqs?)$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 'events', spelling: /^events?$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 'cycles', spelling: /^(cycles?|cyc)$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 'pages', spelling: /^pages?$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 's', spelling: /^(s|secs?|seconds?)$/i, prefixes: ['n', 'u', 'm', ''] },
  { name: 'Hz', spelling: /^(Hz|hertz)$/i, prefixes: ['', 'K', 'M', 'G'] },
  { name: 'Wh', spelling: /^Wh$/, prefixes: ['', 'K', 'M'] },
  { name: 'W', spelling: /^(W|watts?)$/i, prefixes: ['m', '', 'K', 'M'] },
  { name: 'J', spelling: /^(J|joules?)$/i, prefixes: ['m', '', 'K', 'M', 'G'] },
  { name: 'degC', spelling: /^(°C|degC|celsius)$/i, prefixes: [''] },
  { name: 'degF', spelling: /^(°F|degF|fahrenheit)$/i, prefixes: [''] },
];
/** What the store converts into one another. */
const SAME: readonly (readonly string[])[] = [
  ['B', 'bit'],
  ['J', 'Wh'],
];
const SAME_ALONE: readonly (readonly string[])[] = [['degC', 'degF']];

/** Units that the values of a unit may be shown in, itself first; itself alone where none is known. */
export function unitsLike(unit: string): string[] {
  const slash = unit.indexOf('/');
  const above = (slash < 0 ? unit : unit.slice(0, slash)).trim();
  const below = slash < 0 ? '' : unit.slice(slash).replaceAll(' ', '');
  const found = measureOf(above);
  if (!found) return unit === '' ? [] : [unit];
  const groups = below === '' ? [...SAME, ...SAME_ALONE] : SAME;
  const names = groups.find((group) => group.includes(found.name)) ?? [found.name];
  const fitting = names.flatMap((name) => {
    const { prefixes } = MEASURES.find((measure) => measure.name === name)!;
    return prefixes.map((prefix) => `${prefix}${name}${below}`);
  });
  return [unit, ...fitting.filter((text) => text !== unit)];
}

/** The whole word first: `m` alone is no prefix, and neither is the `P` of `Packets`. */
function measureOf(text: string): Measure | undefined {
  const whole = MEASURES.find(({ spelling }) => spelling.test(text));
  if (whole) return whole;
  const rest = text.replace(PREFIX, '');
  return rest === text ? undefined : MEASURES.find(({ spelling }) => spelling.test(rest));
}
