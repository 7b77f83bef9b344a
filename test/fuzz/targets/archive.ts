import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';
import { compress } from 'zstd-napi';
import { DEFAULTS } from '../../../src/config/config.js';
import { StoreError } from '../../../src/model/errors.js';
import { parseQueryRequest } from '../../../src/model/query-request.js';
import { ArchiveReader } from '../../../workers/archive/archive-reader.js';
import { LocalSource } from '../../../workers/archive/archive-source.js';
import { ClusterOutput } from '../../../workers/archive/cluster-output.js';
import { Deadline } from '../../../workers/archive/deadline.js';
import { PAGE_ROWS } from '../../../workers/archive/parquet/parquet-file.js';
import { zstd } from '../../../workers/checkpoint/zstd.js';
import { temporaryFolder } from '../../checkpoint/disk-store.js';
import { Random } from '../../helpers/random.js';
import { mustHold, type Target, type TargetEntry } from '../target.js';
import { edited, KINDS, randomEdit, type Edit } from './checkpoint.js';

/**
 * What is done to one of the two files of a run. Repaired: to what checksums are of, which are made
 * anew then: JSON in the index, the end of the Parquet file.
 */
interface Damage {
  readonly file: 'index' | 'parquet';
  readonly isRepaired: boolean;
  /**
   * Where the edits begin: at the start, near the end, where it is told where everything is, or at the
   * header of a page, which has no checksum.
   */
  readonly from: (typeof FROMS)[number];
  readonly edits: readonly Edit[];
}

const FROMS = ['start', 'end', 'times', 'dictionary', 'values'] as const;
const CLUSTER = 'c';
const STEP_SEC = 60;
const FIRST_SLOT = 29_000_000;
/** More than a page, so that there are two of them. */
const LONG_ROWS = 17_000;
const SHORT_ROWS = 200;
/** Of a Parquet file: more than what tells where everything is. */
const END_BYTES = 3000;
/** Of a page's header, about. */
const HEADER_BYTES = 40;
const TRAILER_BYTES = 16;
const MAGIC_BYTES = 8;
const CHECKED = { compressionLevel: 3, checksumFlag: true };
const LIMITS = { ...DEFAULTS.limits, archiveSamplesMax: 100_000, queryTimeMsMax: 60_000 };
const STORE = {
  ...DEFAULTS.store,
  metrics: {
    load: { frequency: STEP_SEC, aggregation: 'sum' },
    power: { frequency: STEP_SEC, aggregation: 'avg' },
  },
} as const;
const QUERY = JSON.stringify({
  cluster: CLUSTER,
  from: (FIRST_SLOT + 10) * STEP_SEC,
  to: (FIRST_SLOT + LONG_ROWS) * STEP_SEC,
  'with-data': true,
  queries: [
    { metric: 'load', host: 'h0' },
    { metric: 'power', host: 'h0' },
    { metric: 'load', host: 'h1' },
    { metric: 'power', host: 'h1', type: 'hwthread', 'type-ids': ['0', '1'] },
  ],
});

interface Base {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly answer: string;
}

let made: Promise<Base> | undefined;

/** A run of two hosts: values of many digits over two pages, and of few digits. */
async function makeBase(): Promise<Base> {
  const root = temporaryFolder();
  const output = new ClusterOutput(join(root, CLUSTER), { origin: 'test-1-0', run: 1 });
  const random = new Random(1);
  const parquet = output.open();
  for (const hostname of ['h0', 'h1']) {
    const series = ['load', 'power'].map((metric) => {
      const isLong = hostname === 'h0' && metric === 'load';
      const isBelow = hostname === 'h1' && metric === 'power';
      const rows = isLong ? LONG_ROWS : SHORT_ROWS;
      const firstRow = parquet.rows;
      const slots = Float64Array.from({ length: rows }, (_, row) => FIRST_SLOT + row);
      // A page by a dictionary, then one of values that are all new.
      const isNew = (slot: number): boolean => isLong && slot >= FIRST_SLOT + PAGE_ROWS;
      const values = slots.map((slot) => (isNew(slot) ? random.next() : random.below(300) / 4));
      const [scope, id] = isBelow ? ['hwthread', '1'] : ['node', ''];
      const names = { cluster: CLUSTER, hostname, metric, scope, scope_id: id };
      parquet.add({ ...names, frequency: STEP_SEC }, slots, values);
      const place = { metric, type: isBelow ? scope : '', typeId: id, stype: '', stypeId: '' };
      const span = { firstSlot: FIRST_SLOT, lastSlot: FIRST_SLOT + rows - 1 };
      return { ...place, stepSec: STEP_SEC, firstRow, rows, ...span };
    });
    output.addHost(hostname, series);
  }
  await output.finish();
  output.publish();
  const folder = join(root, CLUSTER);
  const files = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
  );
  const answer = await ask(root);
  mustHold(answer.includes('"data"'), () => answer.slice(0, 300));
  rmSync(root, { recursive: true });
  return { files, answer };
}

/** As the thread of the archive answers a query of the first interface. */
async function ask(root: string): Promise<string> {
  const reader = new ArchiveReader({ store: STORE, limits: LIMITS }, [new LocalSource(root)]);
  try {
    const deadline = new Deadline('query-time-ms-max', LIMITS.queryTimeMsMax);
    const query = { read: { query: parseQueryRequest(QUERY) }, inMemory: [], text: QUERY };
    const scratch = await reader.load(query, deadline);
    const run = scratch.begin(query);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const { bytes, isDone } = scratch.turn(run, Infinity);
      pieces.push(bytes);
      if (isDone) return Buffer.concat(pieces).toString();
    }
  } finally {
    await reader.close();
  }
}

/** Edits the JSON of one section of an index, or of its directory. */
function repairedIndex(index: Buffer, edits: readonly Edit[], tail?: object): Buffer {
  const from = index.readUInt32LE(index.length - TRAILER_BYTES);
  const directory = JSON.parse(
    unpacked(index.subarray(from, index.length - TRAILER_BYTES)).toString(),
  ) as { tail: object; hosts: Record<string, [number, number]> };
  const hosts = Object.entries(directory.hosts);
  const chosen = (edits[0]?.value ?? 0) % (hosts.length + 1);
  const sections: Buffer[] = [index.subarray(0, MAGIC_BYTES)];
  let at = MAGIC_BYTES;
  const places: Record<string, [number, number]> = {};
  for (const [number, [host, [start, bytes]]] of hosts.entries()) {
    let section = index.subarray(start, start + bytes);
    if (number === chosen) section = packed(edited(unpacked(section), edits));
    places[host] = [at, section.length];
    sections.push(section);
    at += section.length;
  }
  const json = Buffer.from(JSON.stringify({ tail: tail ?? directory.tail, hosts: places }));
  const last = packed(chosen === hosts.length ? edited(json, edits) : json);
  const trailer = Buffer.from(index.subarray(-TRAILER_BYTES));
  trailer.writeUInt32LE(at, 0);
  trailer.writeUInt32LE(last.length, 4);
  return Buffer.concat([...sections, last, trailer]);
}

function unpacked(section: Buffer): Buffer {
  return zstd.unpack(section, 1024 * 1024);
}

function packed(bytes: Buffer): Buffer {
  return compress(bytes, CHECKED);
}

/** What of a file is edited. */
function pieceOf(bytes: Buffer, from: Damage['from']): [from: number, until: number] {
  if (from === 'start') return [0, bytes.length];
  if (from === 'end') return [Math.max(0, bytes.length - END_BYTES), bytes.length];
  const slice = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const columns = parquetMetadata(slice as ArrayBuffer).row_groups[0]!.columns;
  const { meta_data: about } = columns[from === 'times' ? 5 : 7]!;
  const isFirst = from === 'dictionary';
  const at = Number((isFirst && about!.dictionary_page_offset) || about!.data_page_offset);
  return [at, at + HEADER_BYTES];
}

/** Both files with a damage. */
function damagedFiles(files: Base['files'], damage: Damage): Map<string, Buffer> {
  const changed = new Map(files);
  const nameOf = (file: string): string => [...files.keys()].find((name) => name.endsWith(file))!;
  const { file, isRepaired, from, edits } = damage;
  const [index, parquet] = [nameOf('.index'), nameOf('.parquet')];
  const bytes = files.get(file === 'index' ? index : parquet)!;
  if (isRepaired && file === 'index') changed.set(index, repairedIndex(bytes, edits));
  else {
    const [cutAt, until] = pieceOf(bytes, file === 'index' ? 'start' : from);
    const end = edited(bytes.subarray(cutAt, until), edits);
    const result = Buffer.concat([bytes.subarray(0, cutAt), end, bytes.subarray(until)]);
    changed.set(file === 'index' ? index : parquet, result);
    if (isRepaired) {
      const tail = result.subarray(-END_BYTES);
      const digest = createHash('sha256').update(tail).digest('hex').slice(0, 32);
      changed.set(index, repairedIndex(files.get(index)!, [], { bytes: tail.length, digest }));
    }
  }
  return changed;
}

function parse(input: Buffer): Damage | undefined {
  try {
    const { file, isRepaired, from, edits } = JSON.parse(input.toString()) as Damage;
    const isFile = (file === 'index' || file === 'parquet') && FROMS.includes(from);
    if (!isFile || !Array.isArray(edits)) return undefined;
    const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
    const good = edits.filter((edit: Edit) => {
      return KINDS.includes(edit?.kind) && isNumber(edit.at) && isNumber(edit.value);
    });
    return { file, isRepaired: isRepaired === true, from, edits: good };
  } catch {
    return undefined;
  }
}

function encode(damage: Damage): Buffer {
  return Buffer.from(JSON.stringify(damage));
}

function generate(random: Random): Buffer {
  const isRepaired = random.chance(0.4);
  const file = random.chance(0.3) ? 'index' : 'parquet';
  const edits = Array.from({ length: 1 + random.below(2) }, () => randomEdit(random));
  const from = random.pick(isRepaired ? (['end', 'start'] as const) : FROMS);
  return encode({ file, isRepaired, from, edits });
}

function mutate(random: Random, input: Buffer): Buffer {
  const damage = parse(input);
  if (!damage) return generate(random);
  const edits = [...damage.edits];
  if (edits.length > 0 && random.chance(0.5)) {
    const at = random.below(edits.length);
    edits[at] = { ...edits[at]!, at: edits[at]!.at + random.below(8), value: random.below(256) };
  } else if (edits.length > 1 && random.chance(0.5)) edits.pop();
  else edits.push(randomEdit(random));
  return encode({ ...damage, edits: edits.slice(0, 8) });
}

type Ask = (root: string) => Promise<string>;

/**
 * With checksums as they were: the answer that was written, or an error that names the file. With ones
 * that are right for what is wrong, any answer, or that error.
 */
function archiveTarget(askIt: Ask): Target {
  return {
    name: 'archive',
    generate,
    mutate,
    async run(input) {
      const damage = parse(input);
      if (!damage) return;
      const { files, answer } = await (made ??= makeBase());
      const root = temporaryFolder();
      mkdirSync(join(root, CLUSTER));
      for (const [name, bytes] of damagedFiles(files, damage)) {
        writeFileSync(join(root, CLUSTER, name), bytes);
      }
      let is: string;
      try {
        is = await askIt(root);
      } catch (error) {
        const { message } = error as Error;
        const isNamed = /^c\/[\w.-]+\.(index|parquet) can not be read: ./.test(message);
        const isBound = error instanceof StoreError && error.code === 'limit-exceeded';
        mustHold(
          isNamed || isBound,
          () => `an error that names no file: ${(error as Error).stack}`,
        );
        return;
      } finally {
        rmSync(root, { recursive: true });
      }
      mustHold(
        damage.isRepaired || is === answer,
        () => `other values: ${differenceOf(is, answer)}`,
      );
    },
  };
}

function differenceOf(is: string, should: string): string {
  let at = 0;
  while (at < is.length && is[at] === should[at]) at++;
  return `${is.slice(at, at + 100)} for ${should.slice(at, at + 100)}`;
}

export const archive: TargetEntry = {
  name: 'archive',
  shortRuns: 40,
  make: () => archiveTarget(ask),
  mutants: {
    'what can not be read is left out': () =>
      archiveTarget((root) => ask(root).catch(() => '{"results":[]}')),
    'an error does not tell the file': () =>
      archiveTarget((root) =>
        ask(root).catch((error: Error) => Promise.reject(new Error(error.message.slice(10)))),
      ),
  },
};
