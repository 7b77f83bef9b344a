import { eachAdapter } from './front.js';

const START = 'GET /ping HTTP/1.1\r\nHost: x\r\n';

eachAdapter('floods of headers', async (t, start) => {
  const front = await start();
  const check = async (name: string, bytes: string, expected: RegExp): Promise<void> => {
    const raw = await front.open();
    raw.socket.on('error', () => undefined);
    raw.socket.write(bytes);
    await Promise.race([raw.ended, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
    t.ok(raw.socket.destroyed, `${name}: closed`);
    t.match(raw.received(), expected, name);
  };
  const many = Array.from({ length: 20_000 }, (_, i) => `X-${i}: y\r\n`).join('');
  await check('many', `${START}${many}\r\n`, /^(HTTP\/1\.1 431 |$)/);
  await check(
    'a huge value',
    `${START}X: ${'a'.repeat(1_000_000)}\r\n\r\n`,
    /^(HTTP\/1\.1 431 |$)/,
  );
  await check('a huge name', `${START}${'a'.repeat(1_000_000)}: x\r\n\r\n`, /^(HTTP\/1\.1 431 |$)/);
  const path = `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
  await check('a huge path', path, /^(HTTP\/1\.1 (431|414) |$)/);
  await check('no end', START + 'X: y\r\n'.repeat(100_000), /^(HTTP\/1\.1 431 |$)/);

  const token = { Authorization: `Bearer ${'t'.repeat(14_000)}` };
  t.equal((await front.send('/ping', { headers: token })).status, 204, 'a long token is fine');
  t.equal(front.traffic.requestsCurrent, 0);
});
