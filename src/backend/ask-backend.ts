import { readFile } from 'node:fs/promises';
import type { BackendConfig } from '../config/backend-config.js';

/**
 * Asks cc-backend for JSON at a path of its API, such as `/api/jobs/used_nodes?ts=1`. The token is read from
 * its file anew. Rejects with an Error that says why, in words that hold no secret.
 */
export async function askBackend(config: BackendConfig, path: string): Promise<unknown> {
  const { answerBytesMax, timeoutSec } = config;
  const address = addressOf(config.url, path);
  const token = await tokenOf(config);
  const signal = AbortSignal.timeout(timeoutSec * 1000);
  try {
    const response = await fetch(address, {
      headers: { Accept: 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      // The token is for this server; where it sends to, a login page mostly, has no answer.
      redirect: 'manual',
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(refusal(response));
    }
    return parseJson(await textOf(response, answerBytesMax));
  } catch (error) {
    if (signal.aborted) throw new Error(`no whole answer within ${timeoutSec} s`, { cause: error });
    throw withCause(error as Error);
  }
}

/** The place of a server as it may be shown: without a name and password. */
export function placeOf(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
  } catch {
    return '';
  }
}

function addressOf(url: string, path: string): string {
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw new Error('main.backend-url holds a name or password; use metricshard.backend.token');
  }
  return placeOf(url) + path;
}

async function tokenOf({ token, tokenFile }: BackendConfig): Promise<string> {
  if (tokenFile === '') return checkToken(token, 'metricshard.backend.token');
  try {
    return checkToken((await readFile(tokenFile, 'utf8')).trim(), tokenFile);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code
      ? new Error(`token-file ${tokenFile} can not be read (${code})`)
      : new Error(message);
  }
}

/** What fetch says of a header that it does not take would hold the token. */
function checkToken(token: string, place: string): string {
  if (/^[\x21-\x7e]*$/.test(token)) return token;
  throw new Error(`${place} is no token: it has blanks, line ends or other than ASCII in it`);
}

function refusal({ status, headers }: Response): string {
  if (status === 401 || status === 403) {
    return `it answered ${status}: the token is missing or not good for its API`;
  }
  const location = headers.get('location');
  if (location === null) return `it answered ${status}`;
  return `it answered ${status} and sends to ${placeOf(location) || 'another path'}`;
}

/** Its body, of which no more than `bytesMax` is held. */
async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop ends the connection.
    if (bytes > bytesMax)
      throw new Error(`its answer is larger than answer-bytes-max, ${bytesMax}`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`its answer of ${text.length} characters is not JSON`);
  }
}

/** fetch says `fetch failed`, and why in the cause. */
function withCause(error: Error): Error {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const why = cause?.message || cause?.code;
  return why ? new Error(`${error.message}: ${why}`, { cause: error }) : error;
}
