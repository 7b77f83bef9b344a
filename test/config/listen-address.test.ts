import t from 'tap';
import { parseListenAddress } from '../../src/config/listen-address.js';

t.test('addresses as Go writes them', async (t) => {
  const check = (text: string, host: string, port: number): void => {
    t.strictSame(parseListenAddress(text), { host, port }, text);
  };
  check('127.0.0.1:8082', '127.0.0.1', 8082);
  check('localhost:0', 'localhost', 0);
  check('node-1.example.org:65535', 'node-1.example.org', 65535);
  check(':8082', '0.0.0.0', 8082);
  check('[::1]:80', '::1', 80);
  check('[fe80::1%eth0]:80', 'fe80::1%eth0', 80);
});

t.test('what is wrong is named', async (t) => {
  const check = (text: string, message: RegExp): void => {
    t.throws(() => parseListenAddress(text), { name: 'RangeError', message }, text);
  };
  check('', /"" is not "host:port"/);
  check('localhost', /is not "host:port"/);
  check('::1:8082', /is not "host:port"/);
  check('http://localhost:80', /is not "host:port"/);
  check('localhost:', /port "" of "localhost:"/);
  check('localhost:70000', /port "70000" .* from 0 to 65535/);
  check('localhost:-1', /port "-1"/);
  check('localhost:http', /port "http"/);
});
