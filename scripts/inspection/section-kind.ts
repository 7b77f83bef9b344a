import { readBlocks, readRuns, type BlockView } from '../../workers/checkpoint/block-runs.js';
import { FILE } from '../../workers/checkpoint/file-names.js';
import {
  readLevels,
  readSeries,
  type LevelRecord,
  type SavedSeries,
} from '../../workers/checkpoint/level-record.js';
import {
  DamageError,
  SECTION_BLOCKS,
  SECTION_HEADER_BYTES,
  SECTION_PLAIN_BLOCKS,
  SECTION_SERIES,
  type ReadSection,
  type SectionReader,
} from '../../workers/checkpoint/section-file.js';
import { SAVED_BLOCKS, SAVED_BYTES, SAVED_HEAD } from '../../workers/kernel/layout.js';
import { Tally, type BlockReport, type FileReport } from './report.js';
import { isSelected, pathText } from './selector.js';
import { SeriesNames } from './series-names.js';
import type { FileKind, Tools } from './tools.js';

const MAGIC = 'MSS1';
const KINDS = new Map([
  [SECTION_SERIES, 'section of series'],
  [SECTION_BLOCKS, 'section of blocks'],
  [SECTION_PLAIN_BLOCKS, 'section of blocks'],
]);

/** `series-…` and `blocks-…` of a checkpoint. */
export const SECTION_FILE: FileKind = {
  name: 'segment of a checkpoint',
  hasName: (name) => FILE.test(name),
  begins: (first) => first.toString('latin1', 0, 4) === MAGIC,
  inspect: (path, report, tools) => new SectionInspection(path, report, tools).run(),
};

class SectionInspection {
  readonly #path: string;
  readonly #report: FileReport;
  readonly #tools: Tools;
  readonly #names: SeriesNames;
  readonly #tally = new Tally();
  #levels = 0;
  #series = 0;
  #runs = 0;
  #blocks = 0;
  #checkpoint = 0;

  constructor(path: string, report: FileReport, tools: Tools) {
    this.#path = path;
    this.#report = report;
    this.#tools = tools;
    // Before the file is opened: they are read through the same memory.
    this.#names = SeriesNames.of(path, tools);
  }

  run(): void {
    const reader = this.#tools.sectionReader(this.#path);
    try {
      while (!reader.isAtEnd) this.#section(reader);
    } finally {
      reader.close();
    }
    const end = reader.at + SECTION_HEADER_BYTES;
    const isCut = this.#report.damages.some(({ offset }) => offset >= reader.at);
    if (!isCut && end < reader.size) {
      const lost = `nothing, ${reader.size - end} bytes that do not belong there`;
      this.#report.damages.push({ offset: end, reason: 'more follows its end section', lost });
    }
    const isSeries = this.#levels > 0;
    this.#report.version = MAGIC;
    this.#report.facts = {
      checkpoint: this.#checkpoint || undefined,
      levels: isSeries ? this.#levels : undefined,
      series: isSeries ? this.#series : undefined,
      runs: this.#runs > 0 ? this.#runs : undefined,
      blocks: this.#blocks,
      ...this.#tally.facts(),
    };
  }

  #section(reader: SectionReader): void {
    const offset = reader.at;
    let section: ReadSection | undefined;
    try {
      section = reader.next();
      if (!section) return;
      const storedBytes = reader.at - offset - SECTION_HEADER_BYTES;
      this.#take(section);
      this.#report.sections.push({
        offset,
        what: `${KINDS.get(section.kind)}, checkpoint ${section.checkpoint}`,
        bytes: section.bytes.length,
        storedBytes,
        checksum: BigInt.asUintN(64, section.checksum).toString(16).padStart(16, '0'),
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!section && !(error instanceof DamageError)) throw error;
      const until = reader.isAtEnd ? reader.size : reader.at;
      const reason = error instanceof DamageError ? error.reason : error.message;
      const what = `${until - offset} bytes`;
      const rest = until === reader.size ? 'the rest of the file' : 'this section';
      this.#report.damages.push({ offset, reason, lost: `${rest}, ${what}` });
    }
  }

  #take(section: ReadSection): void {
    this.#checkpoint = Math.max(this.#checkpoint, section.checkpoint);
    if (section.kind === SECTION_SERIES) {
      for (const level of readLevels(section.bytes)) this.#level(level, section.bytes);
    } else {
      const { kernel, area } = this.#tools;
      for (const { id, blocks } of readRuns(kernel, area, section)) {
        this.#runs++;
        this.#count(blocks, this.#names.stepOf(id));
        const known = this.#names.selected(id);
        if (known) this.#show(known.path, known.metric, id, this.#names.stepOf(id), blocks);
      }
    }
  }

  #level(level: LevelRecord, section: Buffer): void {
    const series = [...readSeries(section, level)];
    this.#levels++;
    this.#series += series.length;
    const path = pathText(level.cluster, level.host, level.path);
    for (const saved of series) {
      const { name, stepSec } = this.#names.metricAt(saved.metric);
      const { at, bytes } = saved;
      const { kernel, area, selector } = this.#tools;
      const blocks = readBlocks(kernel, area, 0, at + SAVED_BYTES, at + bytes);
      this.#count(blocks, stepSec);
      if (!selector || !isSelected(selector, path, name)) continue;
      this.#show(path, name, saved.id, stepSec, blocks, saved);
    }
  }

  #count(blocks: readonly BlockView[], stepSec: number | undefined): void {
    for (const { samples, startSlot, slots } of blocks) {
      this.#blocks++;
      if (stepSec === undefined) this.#tally.add(samples);
      else this.#tally.add(samples, startSlot * stepSec, (startSlot + slots - 1) * stepSec);
    }
  }

  /** `saved`: the blocks are its head and what is growing. */
  #show(
    series: string,
    metric: string,
    id: number,
    stepSec: number | undefined,
    blocks: readonly BlockView[],
    saved?: SavedSeries,
  ): void {
    const isHead = saved && this.#tools.area[saved.at + SAVED_BLOCKS]! & SAVED_HEAD;
    const shown = blocks.map((block, index): BlockReport => {
      const { at, bytes, samples, startSlot, slots, codec, min, max } = block;
      const part = saved && (isHead && index === 0 ? 'head, ' : 'growing, ');
      const what = `${part ?? ''}${codec}, slots ${startSlot} to ${startSlot + slots - 1}`;
      if (stepSec === undefined) return { at, what, bytes, samples, min, max };
      const [fromSec, toSec] = [startSlot * stepSec, (startSlot + slots - 1) * stepSec];
      return { at, what, bytes, samples, fromSec, toSec, min, max };
    });
    const samples =
      this.#tools.withSamples && stepSec !== undefined
        ? blocks.flatMap((block) => this.#samplesOf(block, stepSec))
        : undefined;
    this.#tools.show({ file: this.#path, series, metric, id, stepSec, blocks: shown, samples });
  }

  #samplesOf(block: BlockView, stepSec: number): [number, number][] {
    const samples: [number, number][] = [];
    this.#tools.valuesOf(block).forEach((value, index) => {
      if (!Number.isNaN(value)) samples.push([(block.startSlot + index) * stepSec, value]);
    });
    return samples;
  }
}
