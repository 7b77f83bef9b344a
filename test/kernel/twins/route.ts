import { hashHost } from '../../../src/model/hash.js';

/** Lines that go to one shard together. */
export interface Run {
  readonly text: string;
  readonly lines: number;
  /** As they are written, escapes and all; '' = not named. */
  readonly cluster: string;
  readonly host: string;
}

export interface Tags {
  readonly cluster: string;
  readonly host: string;
  /** Whether the line has a tag for its host at all. */
  readonly hasHost: boolean;
}

/** Text up to a comma or space that no backslash is before. */
const WORD = /(?:\\[^]|[^, \\]|\\$)*/y;

/** Cuts a body where a line names another cluster or host; lines without a host stay where they are. */
export function cutRuns(body: string): Run[] {
  const runs: { text: string; lines: number; cluster: string; host: string }[] = [];
  for (const line of body.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const { cluster, host, hasHost } = readTags(line.replace(/\n$/, ''));
    const run = runs.at(-1);
    if (run && (!hasHost || (run.host === host && run.cluster === cluster))) {
      run.text += line;
      run.lines++;
    } else runs.push({ text: line, lines: 1, cluster, host });
  }
  return runs;
}

/** The tags that say where a line goes; of two of a kind the last counts. */
export function readTags(line: string): Tags {
  const tags = { cluster: '', host: '', hasHost: false };
  // Blanks in front are no part of a line.
  let rest = line.replace(/^[ \t]+/, '');
  rest = rest.slice(wordLength(rest));
  while (rest.startsWith(',')) {
    const length = wordLength(rest.slice(1));
    const word = rest.slice(1, 1 + length);
    rest = rest.slice(1 + length);
    const [key, value] = splitTag(word);
    if (key === 'cluster') tags.cluster = value;
    if (key === 'hostname' || key === 'host') {
      tags.host = value;
      tags.hasHost = true;
    }
  }
  return tags;
}

function wordLength(text: string): number {
  WORD.lastIndex = 0;
  return WORD.exec(text)![0].length;
}

/** At the first equals sign that no backslash is before. */
function splitTag(word: string): [key: string, value: string] {
  const match = /^((?:\\[^]|[^=\\])*)=([^]*)$/.exec(word);
  return match ? [match[1]!, match[2]!] : ['', ''];
}

/** The shard of a cluster and host as a line writes them. */
export function shardOf(cluster: string, host: string, shardCount: number): number {
  return hashHost(unescape(cluster), unescape(host)) % shardCount;
}

function unescape(text: string): string {
  return text.replace(/\\([,= ])/g, '$1');
}
