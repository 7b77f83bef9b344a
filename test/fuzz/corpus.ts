import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the sources, also where compiled tests read it: what is found is to be committed. */
export const CORPUS = join('test', 'fuzz', 'corpus');

/** An input with a name that tells what it was about. */
export interface CorpusCase {
  readonly name: string;
  readonly input: Buffer;
}

/** All cases of a target, by name. */
export function readCorpus(target: string): CorpusCase[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** Keeps a finding; returns its path. A person gives it a better name. */
export function keepFinding(target: string, input: Buffer): string {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const path = join(folder, `found-${digest}`);
  writeFileSync(path, input);
  return path;
}
