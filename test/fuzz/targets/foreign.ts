import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCluster } from '../../../src/config/cluster-json.js';
import { parseDocument } from '../../../src/config/document.js';
import { ConfigError, parseConfig } from '../../../src/config/parse-config.js';
import { HostFolder } from '../../../src/migration/host-folder.js';
import { WireReader } from '../../../src/nats/wire/wire-reader.js';
import { temporaryFolder } from '../../checkpoint/disk-store.js';
import { fixture } from '../../helpers/fixtures.js';
import type { Random } from '../../helpers/random.js';
import { binBytes, jsonBytes, walBytes, type LevelData } from '../../migration/reference-files.js';
import { NOW_SEC } from '../line-grammar.js';
import { mutateBytes } from '../mutate.js';
import { mustHold, type Target, type TargetEntry } from '../target.js';

// What others have written: files of cc-metric-store, configurations, what a NATS server sends.

const NAMES: Readonly<Record<string, string>> = {
  json: '1790000000.json',
  bin: '1790000000.bin',
  wal: 'current.wal',
};
/** The greatest payload that a reader of messages takes in these inputs. */
const PAYLOAD_BYTES_MAX = 2000;
const READER_BYTES_MAX = 1024 * 1024;

function level(random: Random): LevelData {
  const data = (): (number | null)[] =>
    Array.from({ length: random.below(30) }, () =>
      random.chance(0.2) ? null : random.below(1000) / 4,
    );
  const metrics = {
    load: { frequency: 60, start: NOW_SEC, data: data() },
    'mé"': { frequency: 1, start: 0, data: [1] },
  };
  return {
    metrics,
    children: { hwthread7: { metrics }, socket0: { children: { memoryDomain1: { metrics } } } },
  };
}

function referenceFile(random: Random): Buffer {
  const kind = random.pick(Object.keys(NAMES));
  const samples = Array.from({ length: random.below(20) }, (_, i) => ({
    time: NOW_SEC + i,
    metric: 'load',
    selector: random.pick([[], ['hwthread7'], ['socket0', 'memoryDomain1']]),
    value: i / 4,
  }));
  const bytes =
    kind === 'wal'
      ? walBytes(samples)
      : (kind === 'bin' ? binBytes : jsonBytes)(NOW_SEC, NOW_SEC + 60, level(random));
  return Buffer.concat([Buffer.from(`${kind}\n`), bytes]);
}

/** Bytes are kind, newline, file. A value takes at least a byte of any file, so there are no more of them. */
function referenceTarget(isTolerant: (error: unknown) => boolean): Target {
  return {
    name: 'reference-files',
    generate: referenceFile,
    mutate: mutateBytes,
    run(input) {
      const end = input.indexOf(10);
      const name = NAMES[input.toString('latin1', 0, Math.max(end, 0))];
      if (name === undefined) return;
      const folder = join(temporaryFolder(), 'h');
      mkdirSync(folder);
      writeFileSync(join(folder, name), input.subarray(end + 1));
      let count = 0;
      let problems = 0;
      try {
        for (const column of new HostFolder(folder, () => problems++).columns()) {
          count += column.values.length;
          const { startSec, stepSec } = column;
          mustHold(Number.isFinite(startSec) && stepSec > 0, () => `${startSec} s, ${stepSec} s`);
        }
      } catch (error) {
        if (!isTolerant(error)) throw error;
      }
      mustHold(count <= input.length, () => `${count} values in ${input.length} bytes`);
      mustHold(problems <= 100, () => `${problems} problems told`);
      rmSync(join(folder, '..'), { recursive: true });
    },
  };
}

export const referenceFiles: TargetEntry = {
  name: 'reference-files',
  shortRuns: 800,
  make: () => referenceTarget(() => false),
  mutants: {
    'values are counted twice': () => {
      const { run, ...target } = referenceTarget(() => false);
      return {
        ...target,
        run: (input) => {
          mustHold(!input.includes('hwthread7'), () => 'a planted mistake');
          return run(input);
        },
      };
    },
  },
};

const CONFIGS = ['config-reference.json', 'cluster-emmy.json'].map((name) =>
  readFileSync(fixture(name)),
);

function configTarget(isChecked: boolean): Target {
  return {
    name: 'config',
    generate: (random) => mutateBytes(random, random.pick(CONFIGS), random.pick(CONFIGS)),
    mutate: mutateBytes,
    run(input) {
      let value: unknown;
      try {
        value = parseDocument(input.toString(), 'config.json');
      } catch (error) {
        if (error instanceof ConfigError) return;
        throw error;
      }
      parseCluster(value, (path, what) => {
        mustHold(typeof path === 'string' && typeof what === 'string', () => 'an odd report');
      });
      try {
        const { config } = parseConfig(value);
        const { retentionSec, shardCount, metrics } = config.store;
        mustHold(
          retentionSec > 0 && shardCount > 0,
          () => `${retentionSec} s, ${shardCount} shards`,
        );
        for (const { frequency } of Object.values(metrics)) {
          mustHold(Number.isInteger(frequency) && frequency > 0, () => `a step of ${frequency}`);
        }
        mustHold(isChecked || Object.keys(metrics).length < 3, () => 'a planted mistake');
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        mustHold(error.problems.length > 0, () => 'an error that tells no problem');
      }
    },
  };
}

export const config: TargetEntry = {
  name: 'config',
  shortRuns: 300,
  make: () => configTarget(true),
  mutants: { 'a good configuration is refused': () => configTarget(false) },
};

function wireStream(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let left = 1 + random.below(6); left > 0; left--) {
    const data = Buffer.from(
      `load,cluster=c,hostname=h value=${random.below(99)}\n`.repeat(random.below(40)),
    );
    const header = random.chance(0.3) ? 'NATS/1.0\r\nAuthorization: x\r\n\r\n' : '';
    const sizes = header === '' ? data.length : `${header.length} ${header.length + data.length}`;
    const reply = random.chance(0.3) ? ' _INBOX.x' : '';
    const head = `${header === '' ? 'MSG' : 'HMSG'} cc.c.metrics ${left}${reply} ${sizes}\r\n${header}`;
    if (random.chance(0.3))
      parts.push(Buffer.from(random.pick(['PING\r\n', '+OK\r\n', "-ERR 'x'\r\n", 'INFO {}\r\n'])));
    parts.push(Buffer.from(head), data, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** What a reader makes of a stream in pieces; the last is the error that ends it. */
function eventsOf(stream: Buffer, pieceBytes: number): string[] {
  const events: string[] = [];
  const reader = new WireReader(
    {
      onMessage: (sid, { subject, reply, header, data, bytes }) =>
        events.push(
          [sid, subject, reply, header?.toString('hex'), data.toString('hex'), bytes].join(' '),
        ),
      onLine: (word, rest) => events.push(`${word} ${rest}`),
    },
    () => PAYLOAD_BYTES_MAX,
  );
  try {
    for (let at = 0; at < stream.length; at += pieceBytes) {
      reader.take(stream.subarray(at, at + pieceBytes));
      mustHold(
        reader.space().length < READER_BYTES_MAX,
        () => `${reader.space().length} bytes held`,
      );
    }
  } catch (error) {
    if (!(error as Error).message.startsWith('the server sends')) throw error;
    events.push('an error');
  }
  return events;
}

function wireTarget(read: typeof eventsOf): Target {
  return {
    name: 'nats-wire',
    generate: wireStream,
    mutate: mutateBytes,
    run(input) {
      const whole = read(input, input.length || 1);
      for (const pieceBytes of [1, 7, 100]) {
        const pieces = read(input, pieceBytes);
        const told = (): string => `${JSON.stringify(pieces)} in pieces of ${pieceBytes}`;
        mustHold(pieces.join('\n') === whole.join('\n'), told);
      }
    },
  };
}

export const natsWire: TargetEntry = {
  name: 'nats-wire',
  shortRuns: 400,
  make: () => wireTarget(eventsOf),
  mutants: {
    'a line that is cut is two': () =>
      wireTarget((stream, pieceBytes) =>
        stream.length > pieceBytes && stream.includes('PING') ? [] : eventsOf(stream, pieceBytes),
      ),
  },
};
