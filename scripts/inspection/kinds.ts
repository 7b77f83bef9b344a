import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { readAll } from '../../src/storage/files.js';
import { ARCHIVE_FILE, ARCHIVE_INDEX } from './archive-kind.js';
import { LOG_FILE } from './log-kind.js';
import { MANIFEST_FILE } from './manifest-kind.js';
import { NOTE_FILE } from './note-kind.js';
import { REFERENCE_FILE } from './reference-kind.js';
import { SECTION_FILE } from './section-kind.js';
import type { FileKind } from './tools.js';

/** All files that the script knows. Another kind is added here. */
export const KINDS: readonly FileKind[] = [
  MANIFEST_FILE,
  SECTION_FILE,
  LOG_FILE,
  NOTE_FILE,
  REFERENCE_FILE,
  ARCHIVE_FILE,
  ARCHIVE_INDEX,
];

/** Bytes that a kind may look at to know its files. */
const FIRST_BYTES = 64;

/** What a file is, by its name, else by how it begins; undefined if it is none of ours. Throws. */
export function kindOf(path: string): FileKind | undefined {
  const name = basename(path);
  const named = KINDS.find((kind) => kind.hasName(name));
  if (named) return named;
  const first = Buffer.alloc(FIRST_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    const bytes = readAll(descriptor, first, 0);
    return KINDS.find((kind) => kind.begins(first.subarray(0, bytes)));
  } finally {
    closeSync(descriptor);
  }
}
