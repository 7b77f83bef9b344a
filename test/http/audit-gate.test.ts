import { StoreError } from '../../src/model/errors.js';
import { ANYONE } from '../../src/auth/identity.js';
import { AuditGate } from '../../src/http/audit-gate.js';
import { eachAdapter } from './front.js';

eachAdapter('a line for each admin action', async (t, start) => {
  const lines: { fields: object; message: string }[] = [];
  const none = (): void => undefined;
  const info = (fields: object, message: string): number => lines.push({ fields, message });
  const log = { debug: none, warn: none, error: none, info };
  const front = await start(
    {},
    undefined,
    () =>
      new AuditGate(
        {
          admit: (exchange, _route, goOn) => {
            const name = exchange.header('authorization');
            if (name === '') throw new StoreError('unauthorized', 'who are you?');
            if (name === 'Bearer mallory') throw new StoreError('forbidden', 'not you');
            goOn({ ...ANYONE, name: name.slice('Bearer '.length) });
          },
        },
        log,
      ),
  );
  const send = (path: string, method: string, name?: string, body?: string) =>
    front.send(path, {
      method,
      ...(body !== undefined && { body }),
      headers: name === undefined ? {} : { Authorization: `Bearer ${name}` },
    });
  const check = (fields: object, message: RegExp): void => {
    t.match(lines, [{ fields: { audit: true, remoteAddress: '127.0.0.1', ...fields }, message }]);
    t.equal(lines.splice(0).length, 1);
  };
  const secret = 'token=tttttt&p=pppppp&api_key=kkkkkk';
  await send(`/api/free?to=1700000000&${secret}`, 'POST', 'alice', '[["alex","a0101"]]');
  const shown = { to: '1700000000', token: '***', p: '***', api_key: '***' };
  check(
    { caller: 'alice', method: 'POST', path: '/api/free', parameters: shown, status: 200 },
    /^admin action: POST \/api\/free/,
  );
  await send('/api/debug?selector=a:b', 'GET', 'mallory');
  check({ caller: '', parameters: { selector: 'a:b' }, status: 403 }, /^admin action refused/);
  await send('/api/v2/admin/checkpoint', 'POST');
  check({ caller: '', path: '/api/v2/admin/checkpoint', status: 401 }, /refused/);
  await send(`/api/debug?selector=${'x'.repeat(5000)}`, 'GET', 'alice');
  check({ caller: 'alice', parameters: { selector: 'x'.repeat(200) } }, /debug$/);
  await send('/api/free?to=never', 'POST', 'alice', '[]');
  check({ caller: 'alice', status: 400 }, /free$/);

  await send('/ping', 'GET', 'alice');
  await send('/api/write', 'POST', 'alice', 'a value=1\n');
  await send('/api/write', 'POST', undefined, 'a value=1\n');
  t.same(lines, [], 'others are not in it');
});
