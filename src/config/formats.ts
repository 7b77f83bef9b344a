import { parseGoDuration } from './duration.js';
import { parseLocation } from '../object-store/location.js';
import { parseListenAddress } from './listen-address.js';

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
