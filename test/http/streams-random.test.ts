import { request } from 'node:http';
import { ENCODINGS } from '../../src/http/accept-encoding.js';
import { openAnswer } from '../../src/http/answers.js';
import type { AnswerStream } from '../../src/http/server.js';
import { Random, seed } from '../helpers/random.js';
import { eachAdapter, eventually } from './front.js';
import { makeUnpacker, MB, NUMBERS } from './packing.js';

const ROUNDS = 60;

/** Writes pieces of any size at any pace, and ends, or aborts before. Returns what was written. */
function produce(random: Random, stream: AnswerStream, aborts: boolean): { bytes: number } {
  const state = { bytes: 0 };
  const bytesMax = random.below(5 * MB);
  const waits = random.chance(0.8);
  const goOn = (): void => {
    while (state.bytes < bytesMax && stream.isOpen) {
      const wanted = random.chance(0.5) ? random.below(2000) : random.below(MB);
      const bytes = Math.min(wanted, bytesMax - state.bytes);
      const hasRoom = stream.write(NUMBERS.subarray(state.bytes, state.bytes + bytes));
      state.bytes += bytes;
      if (!hasRoom && waits) return;
      if (random.chance(0.1)) {
        setTimeout(goOn, random.below(3));
        return;
      }
    }
    if (aborts) stream.abort();
    else stream.end();
  };
  stream.onDrain = goOn;
  goOn();
  return state;
}

eachAdapter(`streams of any kind, seed ${seed}`, async (t, start) => {
  const random = new Random(seed);
  let over = 0;
  let aborts = false;
  let written = { bytes: 0 };
  const front = await start({}, (exchange) => {
    exchange.whenOver(() => over++);
    const stream = openAnswer(exchange, { contentType: 'text/csv', compressible: true });
    written = produce(random, stream, aborts);
  });
  const read = (encoding: '' | (typeof ENCODINGS)[number], goesAway: boolean) =>
    new Promise<{ bytes: Buffer; isWhole: boolean }>((resolve) => {
      const headers = { 'Accept-Encoding': encoding };
      const target = { host: '127.0.0.1', port: front.port, headers, agent: false as const };
      const sent = request(target, (response) => {
        const chunks: Buffer[] = [];
        const finish = (isWhole: boolean): void =>
          resolve({ bytes: Buffer.concat(chunks), isWhole });
        const unpacked = encoding === '' ? response : response.pipe(makeUnpacker[encoding]());
        unpacked.on('data', (chunk: Buffer) => chunks.push(chunk));
        unpacked.on('end', () => finish(true));
        response.on('error', () => finish(false));
        response.on('data', () => {
          if (goesAway && random.chance(0.1)) response.destroy(new Error('enough'));
          if (encoding !== '' || !random.chance(0.1)) return;
          response.pause();
          setTimeout(() => response.resume(), random.below(10));
        });
      });
      sent.on('error', () => resolve({ bytes: Buffer.alloc(0), isWhole: false }));
      sent.end();
    });
  for (let round = 1; round <= ROUNDS; round++) {
    aborts = random.chance(0.2);
    const goesAway = random.chance(0.2);
    const encoding = random.chance(0.5) ? '' : ENCODINGS[random.below(3)]!;
    const { bytes, isWhole } = await read(encoding, goesAway);
    const title = `round ${round}: ${bytes.length} bytes ${encoding}, ${isWhole}`;
    if (!aborts && !goesAway) t.ok(isWhole, title);
    if (aborts) t.notOk(isWhole, title);
    if (isWhole) t.equal(bytes.length, written.bytes, title);
    t.ok(bytes.equals(NUMBERS.subarray(0, bytes.length)), title);
    if (!(await eventually(() => over === round))) t.fail(`${title}: it is not over`);
  }
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  t.same(front.errors, []);
});
