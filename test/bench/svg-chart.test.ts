import t, { type Test } from 'tap';
import { barChart, lineChart, short, stackCharts } from '../../bench/report/svg-chart.js';

const LINES = { title: 'T', xTitle: 'x', yTitle: 'y' };

/** Numbers of an attribute of all elements of a name. */
function numbersOf(svg: string, element: string, attribute: string): number[] {
  const found = svg.matchAll(new RegExp(`<${element} [^>]*\\b${attribute}="([^"]*)"`, 'g'));
  return [...found].map(([, value]) => Number(value));
}

/** Whether it is a document whose numbers are numbers, and all of it inside of it. */
function checkDocument(t: Test, svg: string, what: string): void {
  t.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="860" height="\d+"/, what);
  t.notMatch(svg, /NaN|Infinity|undefined/, what);
  t.equal(svg.match(/<svg /g)!.length, svg.match(/<\/svg>/g)!.length, what);
  const height = Number(/height="(\d+)"/.exec(svg)![1]);
  const inside = [...numbersOf(svg, 'text', 'y'), ...numbersOf(svg, 'circle', 'cy')];
  t.ok(
    inside.every((y) => y > 0 && y < height),
    `${what}: inside`,
  );
}

t.test('curves', async (t) => {
  const check = (what: string, x: number[], y: number[], dots: number, isLog = false): string => {
    const curves = [{ name: 'a', x, y }];
    const svg = lineChart({ ...LINES, xLog: isLog, yLog: isLog, curves });
    checkDocument(t, svg, what);
    t.equal(numbersOf(svg, 'circle', 'cx').length, dots, `${what}: dots`);
    t.equal(svg.includes('no points'), dots === 0 && x.length < 40, `${what}: emptiness`);
    return svg;
  };
  check('nothing', [], [], 0);
  check('nothing, logarithmic', [], [], 0, true);
  check('one point', [5], [7], 1);
  check('one point, logarithmic', [5], [7], 1, true);
  check('zeros', [1, 2], [0, 0], 2);
  check('no logarithm of zero or less', [0, 1, 10], [1, -1, 3], 1, true);
  check('huge', [1, 1e15], [1e-9, 1e18], 2, true);
  check('huge, straight', [0, 1e15], [3e18, 1e18], 2);
  check('constant', [3, 3], [4, 4], 2);
  check('negative', [1, 2], [-5, 5], 2);
  check('not finite', [1, 2], [Infinity, NaN], 0);
  const many = Array.from({ length: 100 }, (_, i) => i);
  check('too many for dots', many, many, 0);
  // A gap interrupts the curve, which goes on behind it.
  const gap = check('gap', [1, 2, 3, 4], [1, NaN, 2, 3], 3);
  t.match(gap, /<path d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+L[\d.]+ [\d.]+"/);
});

t.test('places are where the values are', async (t) => {
  const straight = lineChart({ ...LINES, curves: [{ name: 'a', x: [0, 50, 100], y: [0, 5, 10] }] });
  const [x, y] = [numbersOf(straight, 'circle', 'cx'), numbersOf(straight, 'circle', 'cy')];
  t.same([x[0], x[2]], [90, 840]);
  t.equal(x[1], (x[0]! + x[2]!) / 2);
  t.same([y[0], y[2]], [364, 44]);
  t.equal(y[1], (y[0]! + y[2]!) / 2);
  const curves = [{ name: 'a', x: [1, 10, 100], y: [1, 10, 1000] }];
  const logs = lineChart({ ...LINES, xLog: true, yLog: true, curves });
  t.same(numbersOf(logs, 'circle', 'cx'), [90, 465, 840]);
  t.same(numbersOf(logs, 'circle', 'cy'), [364, 257.3, 44]);
});

t.test('a logarithmic axis has round ends, and enough ticks', async (t) => {
  const check = (x: number[], wanted: string[], ends: number[]): void => {
    const curves = [{ name: 'a', x, y: x }];
    const svg = lineChart({ ...LINES, xLog: true, yLog: true, curves });
    const ticks = [...svg.matchAll(/<text x="[\d.]+" y="382" [^>]*>([^<]*)</g)];
    t.same(
      ticks.map(([, label]) => label),
      wanted,
      `${x.join()}: ticks`,
    );
    t.same(numbersOf(svg, 'circle', 'cx'), ends, `${x.join()}: places`);
  };
  check([1, 2], ['1', '2'], [90, 840]);
  check([2, 20], ['2', '5', '10', '20'], [90, 840]);
  check([0.5, 50], ['0.5', '1', '2', '5', '10', '20', '50'], [90, 840]);
  check([10, 100_000], ['10', '100', '1 k', '10 k', '100 k'], [90, 840]);
  check([5, 50_000], ['10', '100', '1 k', '10 k'], [90, 840]);
  check([5, 5], ['5', '10'], [90, 90]);
  // 0.05 to 2: not wider than needed.
  check([0.06, 1.5], ['0.05', '0.1', '0.2', '0.5', '1', '2'], [127.1, 781.5]);
});

t.test('names go into rows, and are text', async (t) => {
  const names = Array.from({ length: 9 }, (_, i) => `curve <${i}> & more of its name`);
  const curves = names.map((name) => ({ name, x: [1], y: [1] }));
  const svg = lineChart({ ...LINES, curves });
  checkDocument(t, svg, 'many names');
  t.ok(names.every((_, i) => svg.includes(`curve &lt;${i}> &amp; more`)));
  const entries = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)">curve/g)];
  const rows = new Set(entries.map(([, , y]) => y));
  t.ok(rows.size > 1 && rows.size < 9, `${rows.size} rows`);
  const right = entries.map(([, x]) => Number(x) + names[0]!.length * 6.6);
  t.ok(Math.max(...right) < 860);
});

t.test('bars', async (t) => {
  const check = (what: string, values: (number | undefined)[], wanted: string[]): void => {
    const groups = [{ name: 'g', values }];
    const svg = barChart({ title: 'T', series: ['a', 'b'], groups, unit: 's' });
    checkDocument(t, svg, what);
    // Those of the legend are 10 wide.
    const widths = [...svg.matchAll(/ width="([\d.]+)" height="12"/g)].map(([, width]) => width);
    t.same(widths, wanted, what);
  };
  check('halves', [10, 5], ['650', '325']);
  check('a missing one', [undefined, 5], ['650']);
  check('one that is no number', [NaN, 5], ['650']);
  check('none', [undefined, undefined], []);
  check('zeros', [0, 0], ['1', '1']);
  check('tiny beside huge', [1e-9, 1e18], ['1', '650']);
  checkDocument(t, barChart({ title: 'T', series: [], groups: [], unit: '' }), 'no groups');
  const long = { name: 'a name that takes much more room than others do', values: [1] };
  const svg = barChart({ title: 'T', series: ['a'], groups: [long], unit: '' });
  const [left] = numbersOf(svg, 'rect', 'x');
  t.ok(left! > long.name.length * 6.6 && left! <= 360, `bars from ${left} on`);
});

t.test('charts one below the other', async (t) => {
  const one = lineChart({ ...LINES, curves: [] });
  const height = Number(/height="(\d+)"/.exec(one)![1]);
  const svg = stackCharts([one, one]);
  t.equal(Number(/height="(\d+)"/.exec(svg)![1]), 2 * height + 24);
  t.match(svg, new RegExp(`<svg y="0" [\\s\\S]*<svg y="${height + 24}" `));
  t.equal(svg.match(/<\/svg>/g)!.length, 3);
  t.match(stackCharts([]), /height="0"/);
});

t.test('short numbers', async (t) => {
  const check = (value: number, wanted: string): void => {
    t.equal(short(value), wanted);
  };
  check(0, '0');
  check(0.012345, '0.0123');
  check(999, '999');
  check(1000, '1 k');
  check(12_345_678, '12.3 M');
  check(3e11, '300 G');
  check(1.5e12, '1.5 T');
  check(-2500, '-2.5 k');
});
