import t from 'tap';
import { StoreError } from '../../src/model/errors.js';
import {
  conversion,
  convertTexts,
  convertValue,
  isIdentity,
  shiftedNumber,
} from '../../src/units/conversion.js';
import { parseUnit } from '../../src/units/unit.js';
import { Random, seed } from '../helpers/random.js';

/** Exactly, to the bit; twice. */
function check(value: number, source: string, target: string, wanted: number): void {
  for (const again of ['', ', again']) {
    const by = convertTexts(source, target);
    const title = `${value} ${source} are ${wanted} ${target}${again}`;
    t.equal(convertValue(by, value), wanted, title);
    const nearly = value * by.factor + by.offset;
    t.ok(Math.abs(nearly - wanted) <= 1e-12 * (Math.abs(wanted) + 1000), `${title}, by factor`);
  }
}

/** Back and forth. */
function both(value: number, source: string, target: string, wanted: number): void {
  check(value, source, target, wanted);
  check(wanted, target, source, value);
}

function same(source: string, target: string): void {
  t.ok(isIdentity(convertTexts(source, target)), `${source} is ${target}`);
  t.ok(isIdentity(convertTexts(target, source)), `${target} is ${source}`);
}

function impossible(source: string, target: string): void {
  for (const [from, to] of [
    [source, target],
    [target, source],
  ] as const) {
    try {
      convertTexts(from, to);
      t.fail(`${from} became ${to}`);
    } catch (error) {
      t.ok(error instanceof StoreError && error.code === 'bad-request', `${from} to ${to}`);
      const { message } = error as StoreError;
      t.ok(message.includes(`"${from}"`) && message.includes(`"${to}"`), message);
    }
  }
}

t.test('decimal prefixes', async () => {
  both(1, 'GB/s', 'MB/s', 1000);
  both(1, 'GBytes/s', 'MByte/sec', 1000);
  both(1.001, 'GB/s', 'MB/s', 1001);
  both(1234.56, 'MB/s', 'GB/s', 1.23456);
  both(4.35, 'KW', 'W', 4350);
  both(0.07, 'W', 'KW', 0.00007);
  both(2.6, 'GHz', 'MHz', 2600);
  both(33.1, 'us', 's', 0.0000331);
  both(5, 'ms', 'us', 5000);
  both(1, 'YB', 'B', 1e24);
  both(3, 'YB', 'nB', 3e33);
  both(0.1, 'GF/s', 'MFlops/s', 100);
  both(-1.5, 'kJ', 'J', -1500);
  both(1e22, 'B', 'GB', 1e13);
  check(-0, 'GB', 'MB', -0);
  check(0, 'GB', 'MB', 0);
});

t.test('binary prefixes', async () => {
  both(1, 'GiB', 'MiB', 1024);
  both(1, 'KiB', 'B', 1024);
  check(1000, 'GB', 'GiB', 1e12 / 2 ** 30);
  t.equal(convertValue(convertTexts('GB', 'GiB'), 1000).toFixed(2), '931.32');
  both(1, 'GiB', 'GB', 1.073741824);
  both(1, 'TiB', 'GB', 1099.511627776);
  both(1, 'YiB', 'B', 2 ** 80);
  both(0.5, 'MiB/s', 'KiB/s', 512);
});

t.test('denominators', async () => {
  both(1, 'B/ms', 'B/s', 1000);
  both(1, 'MB/s', 'KB/ms', 1);
  both(3, 'GB/s', 'B/us', 3000);
  both(7, 'packets/ms', 'packets/s', 7000);
  both(2, 'F/KiB', 'F/MiB', 2048);
  both(1, '1/ms', '/s', 1000);
});

t.test('bits and bytes, energies, temperatures', async () => {
  both(8, 'bit', 'B', 1);
  both(1, 'GB/s', 'Gbit/s', 8);
  both(100, 'Gbit/s', 'GB/s', 12.5);
  both(1, 'KiB', 'bit', 8192);
  both(3600, 'J', 'Wh', 1);
  both(1, 'kWh', 'MJ', 3.6);
  both(7.2, 'GJ', 'kWh', 2000);
  both(0, 'degC', 'degF', 32);
  both(100, '°C', '°F', 212);
  both(-40, 'degC', 'degF', -40);
  both(37.5, 'degC', 'degF', 99.5);
});

t.test('equal in meaning', async () => {
  same('MB/s', 'MBytes/s');
  same('mB/s', 'MBytes/sec');
  same('', 'none');
  same('%', 'percent');
  same('degC', '°C');
  same('KB', 'kbyte');
  same('us', 'µs');
  same('KB/s', 'B/ms');
  same('4K_pages/s', '4K_page/sec');
});

t.test('impossible', async () => {
  impossible('%', '');
  impossible('%', 'none');
  impossible('IPC', 'CPI');
  impossible('Hz', '1/s');
  impossible('cycles/s', 'Hz');
  impossible('MHz', 'cycles/s');
  impossible('events/s', 'requests/s');
  impossible('bit/s', 'B');
  impossible('B/s', 'B');
  impossible('B/s', 'B/F');
  impossible('kWh', 'kW');
  impossible('W', 'J');
  impossible('J/s', 'W');
  impossible('degC/s', 'degF/s');
  impossible('4K_pages', 'B');
  impossible('4K_pages', 'pages');
  impossible('4K_pages', '64K_pages');
  impossible('F', 'B');
  impossible('RPM', 'Hz');
  impossible('s', '1/s');
  impossible('bananas', 'B');
  impossible('load 1m', '%');
  impossible('bananas', 'apples');
});

t.test(`short decimals stay short, seed ${seed}`, async () => {
  const random = new Random(seed);
  const units = ['nJ', 'uJ', 'mJ', 'J', 'KJ', 'MJ', 'GJ', 'TJ'];
  let wrong = '';
  for (let round = 0; round < 20_000 && !wrong; round++) {
    const [source, target] = [random.pick(units), random.pick(units)];
    const by = conversion(parseUnit(source)!, parseUnit(target)!)!;
    const cents = random.below(1e9) * random.pick([1, -1]);
    const value = Number(`${cents}e-2`);
    const got = convertValue(by, value);
    const wanted = Number(`${cents}e${by.shift - 2}`);
    if (got !== wanted) wrong = `${got} for ${wanted}: ${value} ${source} in ${target}`;
    const back = conversion(parseUnit(target)!, parseUnit(source)!)!;
    if (convertValue(back, got) !== value) wrong = `${value} ${source} by ${target} and back`;
  }
  t.equal(wrong, '');
});

t.test('exponents that are no numbers a text can show', async (t) => {
  const check = (text: string, shift: number, expected: number): void => {
    for (const time of ['first', 'again']) {
      t.equal(shiftedNumber(text, shift), expected, `${text} by ${shift}, ${time}`);
    }
  };
  check('9e999999999999999999999', -9, Infinity);
  check('-1e999999999999999999999999', 3, -Infinity);
  check('9e-999999999999999999999', 9, 0);
  check(`1${'0'.repeat(300)}e-300`, 3, 1000);
});
