import { parseGoDuration } from '../../../src/config/duration.js';
import { parsePasswordHash } from '../../../src/auth/password-hash.js';
import { chooseEncoding } from '../../../src/http/accept-encoding.js';
import { chooseMediaType } from '../../../src/http/accept.js';
import { decodeCursor } from '../../../src/http/parameters.js';
import { Allowance } from '../../../src/model/allowance.js';
import { StoreError } from '../../../src/model/errors.js';
import { globMatcher } from '../../../src/model/glob.js';
import { countHostList, expandHostList, HostSet } from '../../../src/model/host-list.js';
import { parseIdList } from '../../../src/model/id-list.js';
import { parseStep, parseTime } from '../../../src/model/time-expression.js';
import { conversion, convertValue, shiftedNumber } from '../../../src/units/conversion.js';
import { formatUnit, parseUnit } from '../../../src/units/unit.js';
import type { Random } from '../../helpers/random.js';
import { NOW_SEC } from '../line-grammar.js';
import { edgeOf, mutateBytes } from '../mutate.js';
import { shifted } from '../naive/lines.js';
import { mustHold, type Target, type TargetEntry } from '../target.js';

/** Checks a text; throws StoreError or RangeError where it is refused, anything else is a mistake. */
type Check = (text: string) => void;

const HOSTS_MAX = 1000;
/** Characters of messages that are told to a client. */
const MESSAGE_CHARS_MAX = 2000;

const PIECES: Readonly<Record<string, string>> = {
  hosts:
    'a [ ] - , 0 01 9 0100 0185 99999999 n b[1-3] * ? [0-9] [0-9][0-9] [9-1] [,] [1,2,5-7] é \\ .',
  ids: '0 - , 7 63 10-1 0-3 none hwthread 00000000:49:00.0 / 0-99999999 é',
  glob: 'a b ab * ? ** *a* é \ud83d\ude00 n01',
  unit: 'K M G T m u k Ki Mi B byte Bytes F Flop flops / s sec ms % °C degF Hz W J Wh bit MByte bananas packets 4K_pages cycles',
  conversion: 'KB MB GB GiB MBytes/s B/s GFlops/s flops/ms degC degF J kWh Wh bit B % W',
  time: 'now - + 6 h 1h30m d w s m 2026-11-26T12:00:00Z 2026-02-30T00:00:00Z T Z +01:00 .5 1790000000 1790000000000 e9 9999999999',
  step: '1 60 m h d s 1h30m 0 - 366d 9999999999 .5 e',
  number:
    '1 0 . 5 e - + 9 00000000000000000000 e308 e-308 e-999 e-99999999999999999999999 e99999999999999999999999',
  duration: 'h m s ms µs 1 48 . - + 1h30m 99999999999 ns',
  accept: 'application/json text/* */* ; q= 0.1 1 , * gzip br zstd identity ;q=0 = " \\',
  cursor: 'WyJhIl0 W10 e30 = - _ A %',
  password:
    '$ scrypt ln= 15 r= 8 p= 3 , $scrypt$ln=15,r=8,p=3$ c2FsdHNhbHRzYWx0c2FsdA aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g =',
};

function naiveGlob(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [first] = pattern;
  if (first === '*') {
    return naiveGlob(pattern.slice(1), text) || (text !== '' && naiveGlob(pattern, text.slice(1)));
  }
  const isSame =
    text !== '' && (pattern[0] === '?' || pattern.charCodeAt(0) === text.charCodeAt(0));
  return isSame && naiveGlob(pattern.slice(1), text.slice(1));
}

function checkHosts(text: string): void {
  const count = countHostList(text);
  const set = HostSet.parse([text], HOSTS_MAX);
  const names = expandHostList(text, HOSTS_MAX);
  mustHold(names.length <= count && count <= HOSTS_MAX, () => `${names.length} of ${count}`);
  mustHold(new Set(names).size === names.length, () => 'a name twice');
  for (const name of names) mustHold(set.has(name), () => `${name} is not in the set`);
  mustHold(set.names?.length === names.length, () => `${set.names?.length} names in the set`);
}

function checkGlob(text: string): void {
  const [pattern = '', ...texts] = text.slice(0, 40).split(' ');
  // A naive matcher takes as long as there are ways to cut the text.
  if (pattern.split('*').length > 5) return;
  const matches = globMatcher(pattern);
  for (const one of [
    ...texts,
    pattern,
    pattern.replaceAll('*', ''),
    pattern.replaceAll('?', 'x'),
  ]) {
    mustHold(matches(one) === naiveGlob(pattern, one), () => `"${pattern}" and "${one}"`);
  }
}

function checkUnit(text: string): void {
  const unit = parseUnit(text);
  if (!unit) return;
  const shown = formatUnit(unit);
  const again = parseUnit(shown);
  mustHold(
    again !== undefined && formatUnit(again) === shown,
    () => `"${text}" is shown as "${shown}"`,
  );
}

function checkConversion(text: string): void {
  const [source, target] = text.split(' ').map(parseUnit);
  if (!source || !target) return;
  const there = conversion(source, target);
  const back = conversion(target, source);
  mustHold((there === undefined) === (back === undefined), () => 'one way only');
  if (!there || !back) return;
  for (const value of [1, 100, 61_250, 0.125]) {
    const same = convertValue(back, convertValue(there, value));
    mustHold(Math.abs(same - value) <= 1e-9 * value, () => `${value} comes back as ${same}`);
  }
}

function checkNumber(text: string): void {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return;
  for (const shift of [-9, -3, 3, 6]) {
    const [is, should] = [shiftedNumber(text, shift), shifted(text, shift)];
    mustHold(Object.is(is, should), () => `${is} for ${should}, shifted by ${shift}`);
  }
}

const CHECKS: Readonly<Record<string, Check>> = {
  hosts: checkHosts,
  ids: (text) => {
    const ids = parseIdList(text, 'ids', new Allowance('ids', HOSTS_MAX));
    mustHold(
      ids.length <= HOSTS_MAX && ids.every((id) => typeof id === 'string'),
      () => `${ids.length} ids`,
    );
  },
  glob: checkGlob,
  unit: checkUnit,
  conversion: checkConversion,
  time: (text) => {
    const { sec } = parseTime(text, 'from', NOW_SEC);
    mustHold(Number.isSafeInteger(sec), () => `${sec} s`);
  },
  step: (text) => {
    const step = parseStep(text, 'step');
    mustHold(Number.isSafeInteger(step) && step >= 0, () => `a step of ${step}`);
  },
  number: checkNumber,
  duration: (text) => mustHold(!Number.isNaN(parseGoDuration(text)), () => 'not a number'),
  accept: (text) => {
    const types = ['application/json', 'text/csv'];
    const type = chooseMediaType(text, types);
    mustHold(type === undefined || types.includes(type), () => `chooses ${type}`);
    mustHold(['', 'gzip', 'br', 'zstd'].includes(chooseEncoding(text, true)), () => 'an encoding');
  },
  cursor: (text) => {
    const key = decodeCursor(new URLSearchParams({ after: text }), 1);
    mustHold(key.length <= 1, () => `${key.length} parts`);
  },
  password: (text) => {
    const { costBits, blockSize } = parsePasswordHash(text);
    mustHold(128 * 2 ** costBits * blockSize <= 2 ** 30, () => 'it takes more than a gigabyte');
  },
};

/** Inputs are the kind of a text, a newline and the text. */
function textsTarget(checks: Readonly<Record<string, Check>>): Target {
  return {
    name: 'texts',
    generate(random: Random) {
      const kind = random.pick(Object.keys(PIECES));
      const pieces = PIECES[kind]!.split(' ');
      let text = '';
      for (let left = 1 + random.below(8); left > 0; left--) {
        text += random.chance(0.05) ? edgeOf(random) : random.pick(pieces);
        if (random.chance(0.05) || (kind === 'conversion' && random.chance(0.5))) text += ' ';
      }
      return Buffer.from(`${kind}\n${text}`);
    },
    mutate: mutateBytes,
    run(input) {
      const [kind = '', ...lines] = input.toString().split('\n');
      const check = Object.hasOwn(checks, kind) ? checks[kind] : undefined;
      try {
        check?.(lines.join('\n'));
      } catch (error) {
        const isRefused =
          (error instanceof StoreError && error.code === 'bad-request') ||
          (error instanceof RangeError && !/call stack|^Invalid/.test(error.message));
        if (!isRefused) throw error;
        mustHold(
          error.message.length < MESSAGE_CHARS_MAX,
          () => `a message of ${error.message.length}`,
        );
      }
    },
  };
}

export const texts: TargetEntry = {
  name: 'texts',
  shortRuns: 5000,
  make: () => textsTarget(CHECKS),
  mutants: {
    'a star is never empty': () =>
      textsTarget({
        glob: (text) => checkGlobOf(text, (pattern) => globMatcher(pattern.replaceAll('*', '?*'))),
      }),
    'lists have no bound': () =>
      textsTarget({
        hosts: (text) => {
          const count = expandHostList(text, 10 * HOSTS_MAX).length;
          mustHold(count <= HOSTS_MAX, () => `${count} hosts`);
        },
      }),
  },
};

function checkGlobOf(text: string, matcher: (pattern: string) => (text: string) => boolean): void {
  const pattern = text.split(' ')[0]!;
  const one = pattern.replaceAll('*', '');
  if (pattern.split('*').length > 5) return;
  mustHold(matcher(pattern)(one) === naiveGlob(pattern, one), () => `"${pattern}" and "${one}"`);
}
