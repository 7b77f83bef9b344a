import t from 'tap';
import { readFileSync } from 'node:fs';
import { formatUnit, parseUnit, unitOfBaseAndPrefix } from '../../src/units/unit.js';

/** `wanted`: the canonical text; undefined: not understood. Twice: nothing is remembered. */
function check(text: string, wanted: string | undefined): void {
  for (const title of [`"${text}"`, `"${text}", again`]) {
    const unit = parseUnit(text);
    t.equal(unit && formatUnit(unit), wanted, title);
  }
  if (wanted === undefined) return;
  t.strictSame(parseUnit(wanted), parseUnit(text), `"${wanted}" means the same`);
}

function all(texts: string, wanted: string): void {
  for (const text of texts.split('|')) check(text, wanted);
}

t.test('measures in all their spellings', async () => {
  all('B|byte|bytes|Byte|Bytes|BYTES', 'B');
  all('F|flop|flops|Flop|Flops|FLOPS', 'F');
  all('bit|bits|Bit', 'bit');
  all('%|percent|Percent', '%');
  all('degC|°C|degc|celsius|Celsius', 'degC');
  all('degF|°F|fahrenheit', 'degF');
  all('RPM|rpm', 'RPM');
  all('Hz|hz|HZ|hertz|Hertz', 'Hz');
  all('s|sec|secs|second|seconds', 's');
  all('W|watt|watts|Watts', 'W');
  all('J|joule|joules', 'J');
  all('Wh', 'Wh');
  all('cycles|cycle|cyc', 'cycles');
  all('requests|request|req|reqs', 'requests');
  all('packets|packet|pkt|pkts', 'packets');
  all('events|event', 'events');
  all('pages|page', 'pages');
  all('4K_pages|4K_page', '4K_pages');
  all('64K_pages', '64K_pages');
  all('2M_pages', '2M_pages');
  all('IPC|ipc', 'IPC');
  all('CPI|cpi', 'CPI');
  all('|none|1|  ', '');
});

t.test('prefixes', async () => {
  all('kB|KB|kbyte|KBytes|kBytes', 'KB');
  all('MB|MByte|MBytes|Mbyte|Mbytes', 'MB');
  all('GB|GByte|GBytes', 'GB');
  check('TB', 'TB');
  check('PB', 'PB');
  check('EB', 'EB');
  check('ZB', 'ZB');
  check('YB', 'YB');
  all('KiB|kiB|KiBytes', 'KiB');
  check('MiB', 'MiB');
  all('GiB|GiByte', 'GiB');
  check('TiB', 'TiB');
  check('PiB', 'PiB');
  check('EiB', 'EiB');
  check('ZiB', 'ZiB');
  check('YiB', 'YiB');
  all('MHz|Mhz|MHZ|Mhertz', 'MHz');
  all('GHz|Ghz', 'GHz');
  all('us|usec|µs|μs|usecs', 'us');
  all('ns|nsec', 'ns');
  all('ms|msec|mseconds', 'ms');
  all('kW|KW|kwatt', 'KW');
  check('mW', 'mW');
  check('uJ', 'uJ');
  all('kWh|KWh', 'KWh');
  check('Mbit', 'Mbit');
  check('Gibit', 'Gibit');
  check('kRPM', 'KRPM');
  check('Kpackets', 'Kpackets');
  check('Gcycles', 'Gcycles');
});

t.test('m before what is counted is Mega', async () => {
  all('mB|mbyte|mBytes', 'MB');
  all('mF|mflops|mFlops', 'MF');
  check('mpackets', 'Mpackets');
  check('mevents', 'Mevents');
  check('mcycles', 'Mcycles');
  check('mrequests', 'Mrequests');
  check('mbit', 'Mbit');
  check('mpages', 'Mpages');
  check('mB/s', 'MB/s');
  check('B/mF', 'B/MF');
  check('mHz', 'mHz');
  check('mJ', 'mJ');
  check('B/ms', 'B/ms');
});

t.test('per something', async () => {
  all('B/s|bytes/s|bytes/sec|Bytes/second|byte/sec| B / s ', 'B/s');
  all('MB/s|MBytes/s|Mbyte/s|MByte/sec|MB/seconds', 'MB/s');
  all('F/s|Flops/s|flops/s', 'F/s');
  all('GF/s|GFlops/s|GFLOPS/s', 'GF/s');
  check('bit/s', 'bit/s');
  check('Gbit/s', 'Gbit/s');
  check('packets/s', 'packets/s');
  check('4K_pages/s', '4K_pages/s');
  check('events/s', 'events/s');
  check('requests/s', 'requests/s');
  check('cyc/s', 'cycles/s');
  check('KiB/ms', 'KiB/ms');
  check('B/us', 'B/us');
  check('B/F', 'B/F');
  check('F/cycle', 'F/cycles');
  check('J/s', 'J/s');
  check('degC/s', 'degC/s');
  all('1/s|/s', '1/s');
});

t.test('not understood', async () => {
  const texts = [
    // Words that begin with, end in or contain one.
    'bananas|Bananas|bitter|flopsy|Ws|Watth|kWhs|secs ago|hertzs|Byteses|packetss|IPCs|sB|BB',
    // No measure, or not one.
    'K|M|Ki|load|load 1m|C|F/s/W|B/s/s|B//s|B/|/|m|x|?|deg|min|h|d|W h|k W|K/s|none/s|B/none|B/1|none/none',
    // Wrong case, or ambiguous.
    'b|kb|Gb/s|gB|tB|pB|MIB|mib|KIB|f|w|j|S|wh|mhz|ipC s|GW H',
    // Prefixes that make no sense.
    'k%|m%|KdegC|m°C|GIPC|kCPI|M4K_pages|KMB|KKB|kiloB|MegaBytes|K1|M/s|4k_pages|0K_pages|K_pages',
    'constructor|__proto__|toString|B\u0000|B\n/\ns x',
  ];
  for (const text of texts.join('|').split('|')) check(text, undefined);
  check('B'.padStart(64, ' '), 'B');
  check('B'.padStart(65, ' '), undefined);
  check(`4${'K'.repeat(100_000)}_pages`, undefined);
});

t.test('the form of cluster.json', async () => {
  const cases: [base: string, prefix: string, text: string, canonical: string | undefined][] = [
    ['B/s', 'G', 'GB/s', 'GB/s'],
    ['B', 'M', 'MB', 'MB'],
    ['F/s', 'G', 'GF/s', 'GF/s'],
    ['Flops/s', 'G', 'GFlops/s', 'GF/s'],
    ['packets/s', '', 'packets/s', 'packets/s'],
    ['Hz', 'M', 'MHz', 'MHz'],
    ['W', '', 'W', 'W'],
    ['J', 'K', 'KJ', 'KJ'],
    ['°C', '', '°C', 'degC'],
    ['IPC', '', 'IPC', 'IPC'],
    ['CPI', '', 'CPI', 'CPI'],
    ['', '', '', ''],
    [' ', ' ', '', ''],
    ['load 1m', '', 'load 1m', undefined],
    ['load', '', 'load', undefined],
    ['', 'M', 'M', undefined],
  ];
  for (const [base, prefix, text, canonical] of cases) {
    t.equal(unitOfBaseAndPrefix(base, prefix), text, `"${base}" with "${prefix}"`);
    check(text, canonical);
  }
});

t.test('units of a recorded job', async () => {
  const units = ['MB/s', 'W', 'IPC', 'MHz', 'load', 'GF/s', 'GB'];
  t.strictSame(
    units.map((unit) => parseUnit(unit) !== undefined),
    [true, true, true, true, false, true, true],
  );
  t.ok(readFileSync('src/units/README.md', 'utf8').includes('bananas'), 'the table is described');
});
