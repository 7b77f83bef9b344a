import t from 'tap';
import { parseLine, type LineContext } from '../../workers/engine/parse-line.js';
import * as layout from '../../workers/kernel/layout.js';

const NOW = 1_795_467_054;
const CONTEXT: LineContext = {
  cluster: '',
  precision: layout.PRECISION_AUTO,
  nowSec: NOW,
  minSec: NOW - 86_400,
  maxSec: NOW + 3600,
  lineBytesMax: 4096,
  isKnown: (metric) => metric !== 'unknown' && metric !== 'job',
};
/** Bytes before and behind, so that addresses are no offsets and a look beyond the end shows. */
const MARGIN = 7;

function parse(text: string, context: Partial<LineContext> = {}): object {
  const bytes = Buffer.from(`${'x'.repeat(MARGIN)}${text}9999999`);
  const end = MARGIN + Buffer.byteLength(text);
  const parsed = parseLine(bytes, MARGIN, end, { ...CONTEXT, ...context });
  return { ...parsed, next: parsed.next - MARGIN };
}

/** Each case twice: the parser keeps state between lines that must not show. */
function check(title: string, text: string, wanted: object, context?: Partial<LineContext>): void {
  t.match(parse(text, context), wanted, title);
  t.match(parse(text, context), wanted, `${title}, again`);
}

function sample(title: string, text: string, wanted: object, context?: Partial<LineContext>): void {
  check(title, text, { kind: 'sample', lines: 1, ...wanted }, context);
}

/** A `^` stands before the byte that is wrong. */
function rejected(
  title: string,
  marked: string,
  reason: string,
  context?: Partial<LineContext>,
): void {
  const column = Buffer.byteLength(marked.slice(0, marked.indexOf('^'))) + 1;
  t.ok(marked.includes('^'), `${title} is marked`);
  check(title, marked.replace('^', ''), { kind: 'rejected', reason, column }, context);
}

/** `^` stands behind `value=`, `|` before the next line. */
function bound(title: string, marked: string, wanted: object = {}): void {
  const next = Buffer.byteLength(marked.replace('^', '').split('|')[0]!);
  const valueOffset = marked.indexOf('^');
  sample(title, marked.replace('^', '').replace('|', ''), { next, valueOffset, ...wanted });
}

const T = 'm,cluster=c,hostname=h';

t.test('plain samples', async () => {
  bound('all parts', `${T},type=hwthread,type-id=7 value=^1.5 ${NOW}\n|next`, {
    metric: 'm',
    cluster: 'c',
    host: 'h',
    type: 'hwthread',
    typeId: '7',
    stype: '',
    value: 1.5,
    timeSec: NOW,
    ownCluster: true,
    extraFields: 0,
  });
  bound('no newline', `${T} value=^2 ${NOW}|`, { value: 2 });
  bound('no timestamp', `${T} value=^2\n|`, { timeSec: NOW });
  bound('CRLF', `${T} value=^2 ${NOW}\r\n|`, { timeSec: NOW });
  bound('CRLF without timestamp', `${T} value=^2\r\n|`, { value: 2, timeSec: NOW });
  bound('leading blanks', `  ${T} value=2\n|`, { metric: 'm', valueOffset: -1 });
  bound('two blanks before the fields', `${T}  value=2\n|`, { value: 2, valueOffset: -1 });
  bound('blanks behind', `${T} value=^2  ${NOW}  \n|`, { timeSec: NOW });
  sample('any tag order', 'm,type-id=3,hostname=h,type=socket,cluster=c value=1', {
    type: 'socket',
    typeId: '3',
    host: 'h',
  });
  sample('host for hostname', 'm,cluster=c,host=h value=1', { host: 'h' });
  sample('unknown tags', `${T},unit=MB/s,foo=bar value=1`, { host: 'h' });
  sample('cpu stays cpu', `${T},type=cpu,type-id=1 value=1`, { type: 'cpu', typeId: '1' });
  sample('accelerator', `${T},type=accelerator,type-id=00000000:49:00.0 value=1`, {
    typeId: '00000000:49:00.0',
  });
  sample('UTF-8', 'm,cluster=c,hostname=hö value=1', { host: 'hö' });
});

t.test('levels', async () => {
  sample('node is the host', `${T},type=node,type-id=0 value=1`, { type: '', typeId: '' });
  sample('below the node', `${T},type=node,stype=filesystem,stype-id=/home value=1`, {
    type: '',
    stype: 'filesystem',
    stypeId: '/home',
  });
  sample('type without id', `${T},type=socket value=1`, { type: 'socket', typeId: '' });
  rejected('id without type', `${T},type-id=^1 value=1`, 'bad type');
  rejected('stype-id without stype', `${T},stype-id=^1 value=1`, 'bad type');
});

t.test('cluster and host', async () => {
  const d = { cluster: 'd' };
  sample('default cluster', 'm,hostname=h value=1', { ...d, ownCluster: false }, d);
  sample('own cluster wins', `${T} value=1`, { cluster: 'c', ownCluster: true }, d);
  rejected('no cluster', 'm,hostname=h^ value=1', 'no cluster');
  rejected('no hostname', 'm,cluster=c^ value=1', 'no hostname');
  rejected('empty hostname', 'm,cluster=c,hostname=^ value=1', 'no hostname');
  for (const bad of ['a^/b', 'a^\\b', 'a^..b', 'a^\u0001b', '^/', '^\\', '^..']) {
    const line = `m,cluster=c,hostname=${bad},x=y value=1`;
    if (bad !== '^\\') rejected(JSON.stringify(bad), line, 'bad cluster or hostname');
  }
  sample('one dot', 'm,cluster=c,hostname=a.b.c value=1', { host: 'a.b.c' });
  rejected('bad cluster', 'm,cluster=a^/b,hostname=h value=1', 'bad cluster or hostname');
  const long = 'h'.repeat(128);
  sample('128 bytes', `m,cluster=c,hostname=${long} value=1`, { host: long });
  rejected('129 bytes', `m,cluster=c,hostname=${long}^h value=1`, 'bad cluster or hostname');
  rejected('129 bytes of id', `${T},type=x,type-id=${long}^h value=1`, 'bad tag');
});

t.test('escapes', async () => {
  sample('in tags', 'm,cluster=c,hostname=a\\,b\\ c\\=d value=1', { host: 'a,b c=d' });
  sample('in the metric', 'm\\ n,cluster=c,hostname=h value=1', { metric: 'm n' });
  sample('in keys', `${T},a\\ b=c value=1`, { host: 'h' });
  bound('offset counts raw bytes', 'm,cluster=c,hostname=a\\,b value=^1|', { host: 'a,b' });
});

t.test('what is ignored', async () => {
  check('blank', '\nrest', { kind: 'blank', lines: 1, next: 1 });
  check('blanks', '  \t\r\nrest', { kind: 'blank', next: 5 });
  check('comment', '# a,b c=d\nrest', { kind: 'blank', next: 10 });
  check('unknown metric, whatever follows', 'unknown,,= garbage\nrest', {
    kind: 'ignored',
    reason: 'unknown metric',
    lines: 1,
    next: 19,
  });
  check('unknown metric alone', 'unknown\n', { kind: 'ignored', next: 8 });
  const event = 'job,function=start_job event="{\n\\"a\\": 1\n}" 1\n';
  check('job event over lines', `${event}rest`, {
    kind: 'ignored',
    reason: 'unknown metric',
    lines: 3,
    next: event.length,
  });
  for (const kind of ['event', 'log', 'control']) {
    const line = `m,x=y ${kind}="a b, c=\\"d\\"" 1\n`;
    check(kind, line, { kind: 'ignored', reason: kind, lines: 1, next: line.length });
  }
  bound('other fields', `${T} a=1,value=2,b="x y",c=true\n|`, { value: 2, extraFields: 3 });
  bound('value first', `${T} value=^2,b=1\n|`, { value: 2, extraFields: 1 });
});

t.test('what is malformed', async () => {
  rejected('no metric', '^,cluster=c value=1', 'bad metric name');
  rejected('control character', '^m\u0001,cluster=c value=1', 'bad metric name');
  rejected('tag without value', 'm,cluster^ value=1', 'bad tag');
  rejected('empty key', 'm,^=c value=1', 'bad tag');
  rejected('no fields', `${T}^`, 'no fields');
  rejected('no fields, blank', `${T} ^\n`, 'no fields');
  rejected('field without value', `${T} value^\n`, 'bad field');
  rejected('empty field', `${T} value=^ 5\n`, 'bad field');
  rejected('comma at the end', `${T} value=5,^\n`, 'bad field');
  rejected('open quote', `${T} log=^"a\nb,c=d value=1`, 'bad field');
  rejected('no value', `${T} other=1^\n`, 'no value');
  rejected('event and another field', `${T} event="a",x=1^\n`, 'no value');
  rejected('text behind the timestamp', `${T} value=1 ${NOW} ^x\n`, 'bad timestamp');
  const long = `${T},x=`.padEnd(100, 'y');
  rejected('long line', `${long}^y value=1\n`, 'line too long', { lineBytesMax: 100 });
  const open = `${T} log="a\n`;
  check('an open quote costs its own line', `${open}b,c=d log="x"\n`, {
    kind: 'rejected',
    lines: 1,
    next: open.length,
  });
});

t.test('values', async () => {
  const good: [string, number][] = [
    ['0', 0],
    ['-0', -0],
    ['71.33', 71.33],
    ['-1.5', -1.5],
    ['+1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1.5E-3', 0.0015],
    ['1e+2', 100],
    ['5i', 5],
    ['-5i', -5],
    ['5u', 5],
    ['123456789012345', 123456789012345],
    ['1234567890123456789', 1234567890123456800],
    ['0.1234567890123456789', 0.12345678901234568],
    ['0.000000000000001', 1e-15],
    ['1e308', 1e308],
    ['1e-400', 0],
  ];
  for (const [text, value] of good) {
    const parsed = parse(`${T} value=${text}`) as { value: number };
    t.ok(Object.is(parsed.value, value), `${text} is ${value}, not ${parsed.value}`);
  }
  for (const text of [
    'abc',
    '"1"',
    'true',
    '1.5i',
    '-5u',
    '0x10',
    '1_000',
    '1e',
    '.',
    '-',
    '1.2.3',
    '--1',
    'i',
  ]) {
    rejected(text, `${T} value=^${text} ${NOW}`, 'bad value');
  }
  for (const text of ['NaN', 'nan', 'Inf', '-inf', '+Infinity', '1e999', '-1e999']) {
    rejected(text, `${T} value=^${text}`, 'not finite');
  }
});

t.test('times', async () => {
  const at = (stamp: string, timeSec: number, precision = layout.PRECISION_AUTO): void =>
    sample(
      `${stamp} by ${precision}`,
      `${T} value=1 ${stamp}`,
      { timeSec },
      {
        precision,
        minSec: -Infinity,
        maxSec: Infinity,
      },
    );
  at('1795467054', 1795467054);
  at('1795467054123', 1795467054);
  at('1795467054123456', 1795467054);
  at('1795467054999999999', 1795467054);
  at('99999999999', 99999999999);
  at('100000000000', 100000000);
  at('99999999999999', 99999999999);
  at('100000000000000', 100000000);
  at('100000000000000000', 100000000);
  at('0001795467054', 1795467054);
  at('-60', -60);
  at('1795467054', 1795467054, layout.PRECISION_S);
  at('1795467054999', 1795467054, layout.PRECISION_MS);
  at('1795467054999999', 1795467054, layout.PRECISION_US);
  at('1795467054999999999', 1795467054, layout.PRECISION_NS);
  at('5', 0, layout.PRECISION_NS);
  at('100', 6000, layout.PRECISION_M);
  at('100', 360000, layout.PRECISION_H);
  rejected('letters', `${T} value=1 17954^x7054`, 'bad timestamp');
  rejected('a fraction', `${T} value=1 1795467054^.5`, 'bad timestamp');
  rejected('20 digits', `${T} value=1 17954670541795467054^`, 'bad timestamp');
  rejected('too old', `${T} value=1 ^${NOW - 86_401}`, 'too old');
  rejected('negative', `${T} value=1 ^-60`, 'too old');
  rejected('too far ahead', `${T} value=1 ^${NOW + 3601}`, 'too far ahead');
  sample('the oldest', `${T} value=1 ${NOW - 86_400}`, {});
  sample('the latest', `${T} value=1 ${NOW + 3600}`, {});
});

t.test('any bytes: it ends, moves on and stays inside', async () => {
  const seed = 20261124;
  t.comment(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const pieces = [
    'm',
    ',',
    '=',
    ' ',
    '"',
    '\\',
    '\n',
    '\r',
    'value',
    'hostname',
    'cluster',
    '1',
    '-',
    '.',
    '#',
    'é',
    '\u0000',
  ];
  for (let round = 0; round < 20_000; round++) {
    let text = '';
    for (let i = random(24); i >= 0; i--) text += pieces[random(pieces.length)]!;
    const bytes = Buffer.from(text);
    for (let p = 0, steps = 0; p < bytes.length; steps++) {
      const parsed = parseLine(bytes, p, bytes.length, { ...CONTEXT, cluster: 'd' });
      if (parsed.next <= p || parsed.next > bytes.length || steps > bytes.length) {
        t.fail(JSON.stringify(text));
        return;
      }
      p = parsed.next;
    }
  }
  t.pass('all read');
});

t.test('the tag `unit`', async () => {
  sample('none', `${T} value=1`, { unit: '' });
  sample('empty', `${T},unit= value=1`, { unit: '' });
  sample('plain', `${T},unit=MB/s value=1`, { unit: 'MB/s', cluster: 'c', host: 'h' });
  sample('anywhere', `m,unit=%,cluster=c,hostname=h value=1`, { unit: '%' });
  sample('with blanks', `${T},unit=\\ load\\ 1m\\  value=1`, { unit: 'load 1m' });
  sample('the last of two', `${T},unit=B,unit=KB value=1`, { unit: 'KB' });
  sample('not ASCII', `${T},unit=°C value=1`, { unit: '°C' });
  sample('of the line before', `${T} value=1`, { unit: '' });
  sample('another tag', `${T},units=B,Unit=B value=1`, { unit: '' });
  sample('it names no series: anything goes', `${T},unit=\u0001/..${'x'.repeat(200)} value=1`, {
    unit: `\u0001/..${'x'.repeat(200)}`,
  });
  bound('it is part of the prefix', `${T},unit=GB value=^1.25e3 ${NOW}\n|`, {
    unit: 'GB',
    value: 1250,
    valueFrom: `${T},unit=GB value=`.length,
    valueUntil: `${T},unit=GB value=1.25e3`.length,
  });
});
