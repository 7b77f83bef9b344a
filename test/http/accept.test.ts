import t from 'tap';
import { chooseMediaType } from '../../src/http/accept.js';

const JSON_TYPE = 'application/json';
const LINES = 'application/x-ndjson';
const CSV = 'text/csv';
const ARROW = 'application/vnd.apache.arrow.stream';
const OFFERED = [JSON_TYPE, LINES, CSV, ARROW];

t.test('which media type is chosen', (t) => {
  const check = (header: string, expected: string | undefined): void => {
    t.equal(chooseMediaType(header, OFFERED), expected, JSON.stringify(header));
    t.equal(chooseMediaType(header, OFFERED), expected, `${JSON.stringify(header)} again`);
  };
  check('', JSON_TYPE);
  for (const type of OFFERED) {
    check(type, type);
    check(type.toUpperCase(), type);
    check(`${type}; charset=utf-8`, type);
    check(`${type};q=0.1`, type);
    check(`image/png, ${type};q=0.5, */*;q=0.1`, type);
  }
  check('*/*', JSON_TYPE);
  check('*', JSON_TYPE);
  check('application/*', JSON_TYPE);
  check('text/*', CSV);
  check('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', JSON_TYPE);
  check('text/csv, application/json', JSON_TYPE);
  check('text/csv, application/json;q=0.9', CSV);
  check('application/json;q=0.5, text/csv;q=0.5', JSON_TYPE);
  check('application/json;q=0.5, text/csv;q=0.501', CSV);
  // The range that fits most closely tells the weight.
  check('*/*, application/json;q=0', LINES);
  check('application/*;q=0.2, application/json;q=0.1, text/csv;q=0.15', LINES);
  check('application/*;q=0, */*', CSV);
  check('text/*;q=0.3, text/csv;q=0.7, */*;q=0.5', CSV);
  // Nothing that is offered.
  check('image/png', undefined);
  check('application/json;q=0', undefined);
  check('*/*;q=0', undefined);
  check('text/*;q=0, text/plain', undefined);
  // What is no list of media types is as good as none.
  check('json', JSON_TYPE);
  check(';;;,,,', JSON_TYPE);
  check('*/json', JSON_TYPE);
  check('a/b/c', JSON_TYPE);
  check('application/json;q=high', JSON_TYPE);
  check('json, text/csv', CSV);
  t.end();
});
