import { parsePasswordHash } from '../auth/password-hash.js';
import { parseGoDuration } from './duration.js';
import { parseLocation } from '../object-store/location.js';
import { parseListenAddress } from './listen-address.js';
import { parseNatsAddress } from './nats-address.js';

/** What the store takes for a name. */
const CLUSTER_BYTES_MAX = 128;

/** Formats of the schema's strings: each throws a RangeError with the sentence to show. */
export const FORMATS: Readonly<Record<string, (text: string) => void>> = {
  duration: (text) => {
    if (parseGoDuration(text) < 0) throw new RangeError(`"${text}" is negative`);
  },
  'duration-positive': (text) => {
    if (parseGoDuration(text) < 1) throw new RangeError(`"${text}" is less than a second`);
  },
  'directory-or-s3': (text) => void parseLocation(text),
  'not-empty': (text) => {
    if (text === '') throw new RangeError('must not be empty');
  },
  'http-url': (text) => {
    if (text === '' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) return;
    throw new RangeError(`"${text}" is not a URL such as https://s3.example.org`);
  },
  'nats-addresses': (text) => {
    if (text !== '') for (const address of text.split(',')) parseNatsAddress(address.trim());
  },
  'nats-subject': (text) => {
    const tokens = text.split('.');
    const isGood = tokens.every(
      (token, index) =>
        token !== '' &&
        !/\s/.test(token) &&
        (!token.includes('>') || (token === '>' && index === tokens.length - 1)) &&
        (!token.includes('*') || token === '*'),
    );
    if (!isGood) throw new RangeError(`"${text}" is not a subject such as cc.*.metrics or cc.>`);
  },
  'nats-subject-exact': (text) => {
    if (text !== '' && !/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(text)) {
      throw new RangeError(`"${text}" is not a subject without wildcards such as cc.health`);
    }
  },
  'nats-name': (text) => {
    if (/[\s.*>/\\]/.test(text)) {
      throw new RangeError(`"${text}" has a blank or one of . * > / \\, which NATS does not take`);
    }
  },
  'cluster-name': (text) => {
    if (Buffer.byteLength(text) > CLUSTER_BYTES_MAX) {
      throw new RangeError(`it is longer than ${CLUSTER_BYTES_MAX} bytes`);
    }
  },
  'scrypt-hash': (text) => void parsePasswordHash(text),
  'listen-address': (text) => void parseListenAddress(text),
};

/** What is wrong with a text of a format; undefined: nothing. */
export function complaint(format: string, text: string): string | undefined {
  try {
    FORMATS[format]!(text);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
