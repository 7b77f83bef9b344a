import { ask, postJson, urlOf } from '../kit/api.js';
import { LOW, QUERY_PATH } from '../kit/low.js';
import type { SelectRequest } from './request.js';
import { shellQuoted } from './shell-words.js';

/** A browser holds the file until it is saved: what is larger is for the command line. */
export const DOWNLOAD_BYTES_MAX = 256 * 1024 * 1024;

/** A result: one curve. Names are absent that it was not grouped by. */
export interface Result {
  readonly select: number;
  readonly metric: string;
  readonly unit?: string;
  readonly cluster?: string;
  readonly 'sub-cluster'?: string;
  readonly host?: string;
  readonly type?: string;
  readonly id?: string;
  readonly 'sub-id'?: string;
  /** How many series it was combined of. */
  readonly series: number;
  readonly coverage?: number;
  readonly from: number;
  readonly step: number;
  readonly data: readonly (number | null)[];
  readonly stats?: Readonly<Record<string, number | null>>;
}

export interface Answer {
  readonly from: number;
  readonly to: number;
  readonly results: readonly Result[];
  readonly problems: readonly { readonly select: number; readonly error: string }[];
}

export function query(request: SelectRequest, signal: AbortSignal): Promise<Answer> {
  return postJson<Answer>(QUERY_PATH, request, LOW, signal);
}

/**
 * The same answer as CSV, read as it comes.
 *
 * @throws RangeError if it is larger than DOWNLOAD_BYTES_MAX.
 */
export async function csvOf(request: SelectRequest, signal: AbortSignal): Promise<Blob> {
  const url = urlOf(QUERY_PATH, { format: 'csv', ...LOW });
  const init = { method: 'POST', body: JSON.stringify(request), signal };
  const reader = (await ask(url, init)).body!.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: 'text/csv' });
    parts.push(value as Uint8Array<ArrayBuffer>);
    bytes += value.length;
    if (bytes > DOWNLOAD_BYTES_MAX) {
      void reader.cancel();
      const limit = DOWNLOAD_BYTES_MAX / 1024 ** 2;
      throw new RangeError(`the file is larger than ${limit} MiB; take the command for a shell`);
    }
  }
}

/**
 * The command that asks the same.
 *
 * @param user who is asked for a password; '' = the store wants none.
 */
export function curlOf(request: SelectRequest, user: string, format = ''): string {
  const url = urlOf(QUERY_PATH, { format }).href;
  const who = user === '' ? '' : ` -u ${shellQuoted(user)}`;
  const body = shellQuoted(JSON.stringify(request));
  return `curl -sS${who} ${shellQuoted(url)} \\\n  --data-binary ${body}`;
}
