import t, { type Test } from 'tap';
import { encodeCopy, stampCopy } from '../../bench/compare/encode-copy.js';
import { encodeRemoteWrite, stampRemoteWrite } from '../../bench/compare/encode-remote-write.js';
import { AnswerReader } from '../../bench/compare/http-loop.js';
import { firstSeriesOf, metricsOf, partsOf } from '../../bench/compare/series.js';
import { hundredthsOf, makeBatches } from '../../bench/workload.js';

const SEED = 3;
const TIME_SEC = 1_800_000_060;
const batches = makeBatches(0);
/** Each twice into the same place: what the first round left must not show. */
const ROUNDS = [4, 9];

t.test('remote write: what is encoded is what was meant', async (t) => {
  for (const batch of batches) {
    const encoded = encodeRemoteWrite(batch, '/api/v1/write');
    for (const round of ROUNDS) {
      stampRemoteWrite(encoded, batch, round, TIME_SEC + round * 60, SEED);
      const text = encoded.bytes.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n') + 4;
      const body = encoded.bytes.subarray(headEnd);
      t.equal(Number(/Content-Length: (\d+)/.exec(text)![1]), body.length);
      const series = fieldsOf(unsnap(body)).map(({ number, content }) => {
        if (number !== 1) throw new Error(`field ${number}`);
        return seriesOf(content);
      });
      const values = hundredthsOf(batch, round, SEED);
      const wanted = [...batch.lineOf].map(([name, line]) => {
        const { metric, type, id } = partsOf(name);
        const labels = { __name__: metric, cluster: batch.cluster, hostname: batch.host, type };
        return {
          labels: id === '' ? labels : { ...labels, type_id: id },
          value: values[line]! / 100,
          timeMs: (TIME_SEC + round * 60) * 1000,
        };
      });
      t.same(series, wanted, `${batch.host}, round ${round}`);
    }
  }
});

t.test('COPY: rows are those of the lines, numbered from the first series on', async (t) => {
  const firsts = firstSeriesOf(batches);
  t.same(firsts, [1, 1478]);
  for (const [index, batch] of batches.entries()) {
    const bytes = encodeCopy(batch, firsts[index]!);
    for (const round of ROUNDS) {
      stampCopy(bytes, batch, round, TIME_SEC, SEED);
      const values = hundredthsOf(batch, round, SEED);
      t.equal(bytes.toString('latin1', 0, 11), 'PGCOPY\n\xff\r\n\0');
      let at = 19;
      const rows: number[][] = [];
      while (bytes.readInt16BE(at) === 3) {
        const micros = bytes.readBigInt64BE(at + 14);
        const lengths = [2, 10, 22].map((offset) => bytes.readInt32BE(at + offset));
        if (lengths.join() !== '4,8,8') throw new Error(`lengths ${lengths.join()}`);
        const timeSec = Date.UTC(2000, 0) / 1000 + Number(micros / 1_000_000n);
        rows.push([bytes.readInt32BE(at + 6), timeSec, bytes.readDoubleBE(at + 26)]);
        at += 34;
      }
      t.equal(bytes.readInt16BE(at), -1);
      t.equal(at + 2, bytes.length);
      t.same(
        rows,
        Array.from(values, (value, line) => [firsts[index]! + line, TIME_SEC, value / 100]),
      );
    }
  }
});

t.test('names of lines are taken apart', async (t) => {
  t.same(partsOf('cpu_load hwthread7'), { metric: 'cpu_load', type: 'hwthread', id: '7' });
  t.same(partsOf('ipc accelerator00000000:49:00.0').id, '00000000:49:00.0');
  t.same(partsOf('mem_used node'), { metric: 'mem_used', type: 'node', id: '' });
  t.throws(() => partsOf('mem_used rack7'), /no level/);
  t.equal(metricsOf(batches).length, 21);
});

t.test('answers are read however they are cut', async (t) => {
  const check = (t: Test, answers: string[], bodies: number[]): void => {
    const bytes = Buffer.from(answers.join(''), 'latin1');
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new AnswerReader();
      const got: number[] = [];
      let at = 0;
      for (const answer of answers) {
        // A connection has one request under way: no piece has the end of one and the start of another.
        const end = at + answer.length;
        for (; at < end; at += size) {
          if (reader.push(bytes.subarray(at, Math.min(end, at + size)))) got.push(reader.bodyBytes);
        }
        at = end;
      }
      if (!t.same(got, bodies, `in pieces of ${size}`)) return;
    }
  };
  const withLength = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world';
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\n' +
    'x'.repeat(26) +
    '\r\n0\r\n\r\n';
  const empty = 'HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n';
  check(t, [withLength, chunked, empty, chunked, withLength], [11, 31, 0, 31, 11]);
  t.throws(() => new AnswerReader().push(Buffer.from('HTTP/1.1 503 Busy\r\n\r\n')), /503/);
  t.throws(() => new AnswerReader().push(Buffer.alloc(20_000, 'x')), /never ends/);
});

/** Snappy's block format with literals only, written down anew from its description. */
function unsnap(block: Buffer): Buffer {
  const [length, start] = varintAt(block, 0);
  const pieces: Buffer[] = [];
  let at = start;
  while (at < block.length) {
    const tag = block[at++]!;
    if ((tag & 3) !== 0) throw new Error('not a literal');
    const short = tag >> 2;
    const sizeBytes = short < 60 ? 0 : short - 59;
    const size = (sizeBytes === 0 ? short : block.readUIntLE(at, sizeBytes)) + 1;
    at += sizeBytes;
    pieces.push(block.subarray(at, at + size));
    at += size;
  }
  const message = Buffer.concat(pieces);
  if (message.length !== length) throw new Error(`${message.length} bytes, not ${length}`);
  return message;
}

interface Field {
  readonly number: number;
  readonly content: Buffer;
  readonly integer: number;
}

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const [tag, next] = varintAt(message, at);
    at = next;
    let size = 8;
    let integer = 0;
    if ((tag & 7) === 0) {
      [integer, at] = varintAt(message, at);
      size = 0;
    } else if ((tag & 7) === 2) [size, at] = varintAt(message, at);
    else if ((tag & 7) !== 1) throw new Error(`wire type ${tag & 7}`);
    fields.push({ number: tag >> 3, content: message.subarray(at, at + size), integer });
    at += size;
  }
  if (at !== message.length) throw new Error('a field goes on behind the end');
  return fields;
}

function seriesOf(content: Buffer): object {
  const labels: Record<string, string> = {};
  let value = NaN;
  let timeMs = NaN;
  for (const { number, content: part } of fieldsOf(content)) {
    const [first, second] = fieldsOf(part);
    if (number === 1) labels[first!.content.toString()] = second!.content.toString();
    else [value, timeMs] = [first!.content.readDoubleLE(0), second!.integer];
  }
  return { labels, value, timeMs };
}

function varintAt(bytes: Buffer, start: number): [number, number] {
  let [value, factor, at] = [0, 1, start];
  for (; ; at++, factor *= 128) {
    value += (bytes[at]! & 0x7f) * factor;
    if (bytes[at]! < 0x80) return [value, at + 1];
  }
}
