import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { HASH_START, hashByte } from '../../../src/model/hash.js';
import { zstd } from '../../../workers/checkpoint/zstd.js';
import { createShardMemory, instantiateKernel } from '../../../workers/kernel/kernel.js';
import { STAGING_BASE } from '../../../workers/kernel/layout.js';
import { DiskStore, T0, temporaryFolder, type Where } from '../../checkpoint/disk-store.js';
import { Random } from '../../helpers/random.js';
import { mustHold, type Target, type TargetEntry } from '../target.js';

/** What is done to a file: to its bytes, or to what its checksums are of, which are made anew then. */
interface Damage {
  /** How the name of the file begins. */
  readonly file: string;
  readonly isRepaired: boolean;
  readonly edits: readonly Edit[];
}

/** `at` and `value` are taken modulo what there is, so that each edit means something in each file. */
export interface Edit {
  readonly kind: 'flip' | 'word' | 'cut' | 'zero' | 'copy';
  readonly at: number;
  readonly value: number;
}

const FILES = [
  'log-',
  'series-',
  'blocks-00000001',
  'blocks-00000002',
  'MANIFEST',
  'MANIFEST.copy',
];
export const KINDS: readonly Edit['kind'][] = [
  'flip',
  'flip',
  'word',
  'word',
  'cut',
  'zero',
  'copy',
];
const WORDS = [0, 1, 2, 127, 128, 255, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const WHERES: readonly Where[] = ['h0', 'h1'].flatMap((host) =>
  ['load', 'power'].map((metric) => ({ metric, host })),
);
const SECTION_BYTES = 40;
const FRAME_BYTES = 32;
/** Slots behind the samples in which a restored store goes on. */
const LATER_SLOT = 800;
const MEMORY_CAP_BYTES = 64 * 1024 * 1024;

type Files = ReadonlyMap<string, Buffer>;
type Samples = Map<string, Map<number, number>>;

interface Base {
  readonly files: Files;
  readonly should: Samples;
}

let made: Promise<Base> | undefined;

/** Two checkpoints and a log behind them, as a crash left them; made once. */
async function makeBase(): Promise<Base> {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  const random = new Random(1);
  const fill = (from: number, until: number): void => {
    for (let slot = from; slot < until; slot++) {
      for (const where of WHERES) store.write(where, T0 + slot * 60, random.below(1e5) / 100);
      if (slot % 16 === 0) store.flush();
    }
    store.flush();
  };
  fill(0, 300);
  await store.checkpoint();
  fill(300, 520);
  await store.checkpoint();
  fill(520, 540);
  const should = contents(store);
  const folder = await store.crash();
  const files = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
  );
  rmSync(folder, { recursive: true });
  return { files, should };
}

function contents(store: DiskStore): Samples {
  return new Map(WHERES.map((where) => [`${where.metric} of ${where.host}`, store.read(where)]));
}

export function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let changed = Buffer.from(bytes);
  for (const { kind, at, value } of edits) {
    if (changed.length < 8) break;
    const place = at % (changed.length - 4);
    if (kind === 'flip') changed[place]! ^= 1 << (value % 8);
    else if (kind === 'word') changed.writeUInt32LE(value >>> 0, place & ~3);
    else if (kind === 'cut') changed = Buffer.from(changed.subarray(0, place));
    else if (kind === 'zero')
      changed.fill(0, place, Math.min(changed.length, place + 1 + (value % 64)));
    else changed.copyWithin(place, value % changed.length, (value % changed.length) + 48);
  }
  return changed;
}

const memory = createShardMemory();
const kernel = instantiateKernel(memory);

function xxhash(bytes: Uint8Array): bigint {
  new Uint8Array(memory.buffer).set(bytes, STAGING_BASE);
  return kernel.checksum(STAGING_BASE, bytes.length);
}

/** Edits what sections hold, unpacked; `at` counts over all of them. */
export function repairedSections(file: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at + SECTION_BYTES <= file.length; index++) {
    const header = Buffer.from(file.subarray(at, at + SECTION_BYTES));
    const stored = file.subarray(at + SECTION_BYTES, at + SECTION_BYTES + header.readUInt32LE(16));
    at += SECTION_BYTES + stored.length;
    const isPacked = header.readUInt32LE(20) === 1;
    const unpacked = isPacked ? Buffer.alloc(header.readUInt32LE(12)) : Buffer.from(stored);
    if (isPacked) zstd.decompress(unpacked, stored);
    const isChosen = stored.length > 0;
    const bytes = isChosen ? edited(unpacked, edits) : unpacked;
    header.writeUInt32LE(bytes.length, 12);
    header.writeUInt32LE(bytes.length, 16);
    header.writeUInt32LE(0, 20);
    if (isChosen) header.writeBigInt64LE(xxhash(bytes), 24);
    let check = HASH_START;
    for (let i = 0; i < 32; i++) check = hashByte(check, header[i]!);
    header.writeUInt32LE(check >>> 0, 32);
    pieces.push(header, bytes);
  }
  return Buffer.concat(pieces);
}

/** Edits the records of one frame in four, chosen by the first edit. */
function repairedFrames(file: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Buffer[] = [];
  const chosen = edits[0]?.value ?? 0;
  for (let at = 0, index = 0; at + FRAME_BYTES <= file.length; index++) {
    const header = Buffer.from(file.subarray(at, at + FRAME_BYTES));
    const records = file.subarray(at + FRAME_BYTES, at + FRAME_BYTES + header.readUInt32LE(4));
    at += FRAME_BYTES + records.length;
    const bytes = index % 4 === chosen % 4 ? edited(records, edits) : records;
    header.writeUInt32LE(bytes.length, 4);
    header.writeBigInt64LE(xxhash(Buffer.concat([header.subarray(16), bytes])), 8);
    pieces.push(header, bytes);
  }
  return Buffer.concat(pieces);
}

function repairedManifest(file: Buffer, edits: readonly Edit[]): Buffer {
  const json = edited(file.subarray(0, file.indexOf('\n')), edits)
    .toString()
    .replaceAll('\n', ' ');
  return Buffer.from(`${json}\n${createHash('sha256').update(json).digest('hex')}\n`);
}

function damaged(name: string, bytes: Buffer, { isRepaired, edits }: Damage): Buffer {
  if (!isRepaired) return edited(bytes, edits);
  if (name.startsWith('log-')) return repairedFrames(bytes, edits);
  return name.startsWith('MANIFEST')
    ? repairedManifest(bytes, edits)
    : repairedSections(bytes, edits);
}

function parse(input: Buffer): Damage | undefined {
  try {
    const { file, isRepaired, edits } = JSON.parse(input.toString()) as Damage;
    if (!FILES.includes(file) || !Array.isArray(edits)) return undefined;
    const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
    const good = edits.filter((edit: Edit) => {
      return KINDS.includes(edit?.kind) && isNumber(edit.at) && isNumber(edit.value);
    });
    return { file, isRepaired: isRepaired === true, edits: good };
  } catch {
    return undefined;
  }
}

function encode(damage: Damage): Buffer {
  return Buffer.from(JSON.stringify(damage));
}

export function randomEdit(random: Random): Edit {
  return {
    kind: random.pick(KINDS),
    at: random.below(random.pick([64, 400, 5000, 100_000])),
    value: random.chance(0.5) ? random.pick(WORDS) : random.below(2 ** 32),
  };
}

function generate(random: Random): Buffer {
  const edits = Array.from({ length: 1 + random.below(2) }, () => randomEdit(random));
  return encode({ file: random.pick(FILES), isRepaired: random.chance(0.6), edits });
}

function mutate(random: Random, input: Buffer): Buffer {
  const damage = parse(input);
  if (!damage) return generate(random);
  const edits = [...damage.edits];
  if (edits.length > 0 && random.chance(0.5))
    edits[random.below(edits.length)] = randomEdit(random);
  else if (edits.length > 1 && random.chance(0.5)) edits.pop();
  else edits.push(randomEdit(random));
  return encode({ ...damage, edits: edits.slice(0, 8) });
}

/** '' if what is there was written, and what is missing was told. */
function difference(store: DiskStore, should: Samples, file: string): string {
  const is = contents(store);
  let lost = 0;
  for (const [name, slots] of should) {
    const have = is.get(name)!;
    for (const [slot, value] of slots) {
      if (!have.has(slot)) lost++;
      else if (have.get(slot) !== value)
        return `${name}, slot ${slot}: ${have.get(slot)} for ${value}`;
    }
    for (const slot of have.keys())
      if (!slots.has(slot)) return `${name}, slot ${slot} is too many`;
  }
  const isTold = store.summary.problems.some((problem) => problem.includes(file));
  return lost > 0 && !isTold ? `${lost} samples are missing, and ${file} is not told of` : '';
}

type Open = (folder: string) => Promise<DiskStore>;

/**
 * A damaged folder opens; with its checksums as they were it gives back what was written, or tells. With
 * checksums that are right for what is wrong, it may have anything, but goes on.
 */
function checkpointTarget(open: Open): Target {
  return {
    name: 'checkpoint',
    generate,
    mutate,
    async run(input) {
      const damage = parse(input);
      if (!damage) return;
      const { files, should } = await (made ??= makeBase());
      const parent = temporaryFolder();
      const folder = join(parent, 'shard');
      mkdirSync(folder);
      let damagedName = '';
      for (const [name, bytes] of files) {
        const isChosen = name.startsWith(damage.file) && damagedName === '';
        if (isChosen) damagedName = name;
        writeFileSync(join(folder, name), isChosen ? damaged(name, bytes, damage) : bytes);
      }
      const store = await open(folder);
      if (!damage.isRepaired) {
        const wrong = difference(store, should, basename(damagedName));
        // Nobody can tell frames that were cut off the end of the log from such as were never written.
        const isCutLog = damage.file === 'log-' && damage.edits.some(({ kind }) => kind === 'cut');
        mustHold(wrong === '' || (isCutLog && wrong.includes('missing')), () => wrong);
      }
      await goesOn(store);
      rmSync(parent, { recursive: true });
    },
  };
}

/** New series, which no file has, and old ones take samples; a restart has those of the new ones. */
async function goesOn(store: DiskStore): Promise<void> {
  const fresh: Where = { metric: 'load', host: 'fresh' };
  for (let slot = LATER_SLOT; slot < LATER_SLOT + 40; slot++) {
    for (const where of [...WHERES, fresh]) store.write(where, T0 + slot * 60, slot);
  }
  mustHold(store.flush(), () => `the log fails: ${store.durability.failure}`);
  mustHold(
    store.read(fresh).size === 40,
    () => `a new series has ${store.read(fresh).size} samples`,
  );
  const { folder } = store;
  await store.stop();
  const again = await DiskStore.open(folder, { memoryCapBytes: MEMORY_CAP_BYTES });
  // It may have more: blocks that a file gives it with a right checksum, where its number is that of a run.
  const kept = again.read(fresh);
  for (let slot = LATER_SLOT; slot < LATER_SLOT + 40; slot++) {
    const value = kept.get(T0 / 60 + slot);
    mustHold(value === slot, () => `after a restart slot ${slot} of a new series has ${value}`);
  }
  await again.stop();
}

const openReal: Open = (folder) => DiskStore.open(folder, { memoryCapBytes: MEMORY_CAP_BYTES });

export const checkpoint: TargetEntry = {
  name: 'checkpoint',
  shortRuns: 60,
  make: () => checkpointTarget(openReal),
  mutants: {
    'damage is not told': () =>
      checkpointTarget(async (folder) => {
        const store = await openReal(folder);
        store.summary = { ...store.summary, problems: [] };
        return store;
      }),
  },
};
