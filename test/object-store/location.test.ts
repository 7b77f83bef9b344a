import t from 'tap';
import { parseLocation, whatIsWrongWith } from '../../src/object-store/location.js';

t.test('locations', async (t) => {
  const check = (text: string, expected: object): void => {
    for (const _ of [1, 2]) t.strictSame(parseLocation(text), expected, text);
  };
  check('./var', { kind: 'directory', path: './var' });
  check('', { kind: 'directory', path: '' });
  check('/a/s3:/b', { kind: 'directory', path: '/a/s3:/b' });
  check('s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' });
  check('s3://bucket/', { kind: 's3', bucket: 'bucket', prefix: '' });
  check('s3://bucket/a/b/', { kind: 's3', bucket: 'bucket', prefix: 'a/b' });
});

t.test('locations that make no sense', async (t) => {
  const check = (text: string, message: RegExp): void => {
    t.throws(() => parseLocation(text), { name: 'RangeError', message }, text);
  };
  check('s3://', /"s3:\/\/" names no bucket; write s3:\/\/bucket\/prefix/);
  check('s3:///prefix', /names no bucket/);
  check('s3://a b', /"a b" can not be a bucket's name/);
  check('s3://bucket/a//b', /the prefix has an empty name/);
  check('s3://bucket/../b', /the prefix has the name "\.\."/);
  check('gs://bucket', /neither a folder nor on S3/);
  check('file:///tmp', /neither a folder nor on S3/);
});

t.test('keys', async (t) => {
  const check = (key: string, message?: RegExp): void => {
    if (message === undefined) t.equal(whatIsWrongWith(key), undefined, JSON.stringify(key));
    else t.match(whatIsWrongWith(key), message, JSON.stringify(key));
  };
  check('a');
  check('a/b.c/...');
  check('odd +%&<>\'"?#*(){}~ ü 🙂');
  check('n'.repeat(255));
  check('', /empty name/);
  check('/a', /empty name/);
  check('a/', /empty name/);
  check('a//b', /empty name/);
  check('.', /the name "\."/);
  check('a/../b', /the name "\.\."/);
  check('a\0', /control character/);
  check('a\nb', /control character/);
  check('\ud800', /well-formed/);
  check('n'.repeat(256), /a name longer than 255 bytes/);
  check('ü/'.repeat(400) + 'n', /longer than 1024 bytes/);
});
