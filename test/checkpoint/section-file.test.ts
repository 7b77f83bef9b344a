import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { STAGING_BASE, STAGING_BYTES } from '../../workers/kernel/layout.js';
import {
  SECTION_BLOCKS,
  SECTION_HEADER_BYTES,
  SectionReader,
  SectionWriter,
} from '../../workers/checkpoint/section-file.js';
import { Random, seed } from '../helpers/random.js';
import { temporaryFolder } from './disk-store.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const area = Buffer.from(memory.buffer, STAGING_BASE, STAGING_BYTES);
const checksum = (at: number, bytes: number): bigint => kernel.checksum(STAGING_BASE + at, bytes);
const path = join(temporaryFolder(), 'sections');

async function write(contents: readonly Uint8Array[], isPacked: boolean): Promise<void> {
  const writer = await SectionWriter.create(path);
  for (const bytes of contents) {
    area.set(bytes);
    const section = {
      kind: SECTION_BLOCKS,
      checkpoint: 3,
      bytes,
      checksum: checksum(0, bytes.length),
    };
    writer.append(section, isPacked);
  }
  await writer.end(3);
  t.equal(statSync(path).size, writer.bytes);
}

/** Sections of the file that can be read, and what was told of the others; `isAhead`: they are read ahead where they can be. */
async function read(isAhead: boolean): Promise<{ sections: Buffer[]; told: string[] }> {
  const reader = new SectionReader(path, area, checksum);
  const sections: Buffer[] = [];
  const told: string[] = [];
  for (;;) {
    try {
      const section = reader.next();
      if (!section) break;
      // What is read ahead may not lie where this one does.
      if (isAhead) await reader.readAhead();
      sections.push(Buffer.from(section.bytes));
    } catch (error) {
      told.push((error as Error).message);
    }
  }
  reader.close();
  return { sections, told };
}

t.test(`a damaged section does not hide the others, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  for (const [isPacked, isAhead] of [
    [false, false],
    [false, true],
    [true, true],
  ] as const) {
    // Longer than what is searched at once; the last ones pack well.
    const contents = [10, 100_000, 1, 70_000, 0, 500, 200_000].map((length, index) =>
      index < 4 ? random.bytes(length) : Buffer.alloc(length, index),
    );
    await write(contents, isPacked);
    const all = await read(isAhead);
    t.same(all, { sections: contents.map((bytes) => Buffer.from(bytes)), told: [] });
    const whole = readFileSync(path);
    let wrong = '';
    const offsets = Array.from({ length: SECTION_HEADER_BYTES }, (_, index) => index);
    for (const at of [
      ...offsets,
      ...Array.from({ length: 40 }, () => random.below(whole.length)),
    ]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << random.below(8);
      writeFileSync(path, damaged);
      const { sections, told } = await read(isAhead);
      const lost = contents.length - sections.length;
      const isFirst = at < SECTION_HEADER_BYTES;
      if (lost > 1 || (lost > 0 && told.length === 0)) wrong = `${lost} lost: ${told.join()}`;
      if (lost > 0 && isFirst && !sections[0]!.equals(contents[1]!))
        wrong = 'the second one is not found';
      if (!told.every((text) => text.includes(path))) wrong = `told: ${told.join()}`;
      if (wrong) break;
    }
    t.equal(wrong, '', `${isPacked ? 'packed' : 'plain'}${isAhead ? ', read ahead' : ''}`);
  }
});

t.test('a section that is too large to be read ahead is read nevertheless', async (t) => {
  const contents = [100, STAGING_BYTES / 2 + 1, 50, STAGING_BYTES / 2].map((length, index) =>
    Buffer.alloc(length, index + 1),
  );
  await write(contents, false);
  const { sections, told } = await read(true);
  t.same(told, []);
  t.ok(sections.length === 4 && sections.every((bytes, i) => bytes.equals(contents[i]!)));
});

t.test(`a file that is cut off gives what it has, seed ${seed}`, async (t) => {
  const contents = [300, 5, 40].map((length) => Buffer.alloc(length, length & 0xff));
  await write(contents, false);
  const { size } = statSync(path);
  let wrong = '';
  for (let length = size - 1; length >= 0 && !wrong; length--) {
    truncateSync(path, length);
    const { sections, told } = await read(length % 2 === 0);
    let end = 0;
    const count = contents.filter(
      (bytes) => (end += SECTION_HEADER_BYTES + bytes.length) <= length,
    ).length;
    if (sections.length !== count) wrong = `${sections.length} sections, not ${count}`;
    if (told.length !== 1) wrong = `told ${told.length} times`;
    if (wrong) wrong += ` of ${length} bytes`;
  }
  t.equal(wrong, '');
});
