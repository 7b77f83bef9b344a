import { request } from 'node:http';
import type { WritePath } from './feed.js';
import type { Memory } from './processes.js';
import type { Answer, Question } from './questions.js';
import type { Written } from '../check.js';

/** A request as bytes of HTTP, without what a connection decides. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a closed loop asks a question: requests in turn. */
export type Load =
  | { readonly kind: 'http'; readonly port: number; readonly requests: readonly HttpRequest[] }
  | {
      readonly kind: 'sql';
      readonly port: number;
      readonly user: string;
      readonly statements: readonly string[];
    };

/** What is the same for a whole run. */
export interface Context {
  readonly written: Written;
  /** Seconds that a store has to keep. */
  readonly retentionSec: number;
  /** After so long without writes a store may put in order what it has. */
  readonly idleSec: number;
}

/** What a store wrote to the disk. */
export interface Disk {
  /** All that a restart needs. */
  readonly bytes: number;
  /** Of that, logs that are read again at the start. */
  readonly logBytes: number;
}

/** One store of the comparison: it is started in an empty folder, and again in the same one. */
export interface Store {
  readonly name: string;
  readonly version: string;
  /** What differs from its defaults, in a sentence. */
  readonly settings: string;
  /** Relative error of a number that counts as right: 0 would ask sums to be taken in one order. */
  readonly tolerance: number;
  /** The same for averages, minima and maxima, where they are rounded otherwise. */
  readonly statisticsTolerance?: number;
  readonly writePath: WritePath;
  /** Process at the top of the store's. */
  readonly pid: number;
  /** In an empty folder, or on what it left there. */
  start(folder: string): Promise<void>;
  /** As its operators end it. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  memory(): Promise<Memory>;
  /** What was written goes to the disk in the form in which it stays there. */
  flush(): Promise<void>;
  disk(): Disk;
  /** Samples that are there, by asking for them. */
  count(untilSec: number): Promise<number>;
  ask(question: Question, selection: number): Promise<Answer>;
  load(question: Question): Load;
  /** The same past a cache of results, where the store has one. */
  loadAnew?(question: Question): Load;
  /** How many jobs are answered by one request of {@link load}. */
  readonly jobsARequest: number;
  /** Whether series are known before their first sample comes: then that shows nothing of new ones. */
  readonly hasSeriesBefore?: boolean;
}

/** A store that is loaded. */
export interface Loaded {
  readonly store: Store;
  readonly folder: string;
  /** Rounds that were written, of which the first is at `startSec`. */
  readonly rounds: number;
  readonly questions: readonly Question[];
}

/** A store that is not there, and what to do about it. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/**
 * Sends a request, and returns the text of its answer; throws on any status but a success. By
 * `node:http`: clients of cc-metric-store send GET with a body, which `fetch` refuses.
 */
export function fetchText(
  port: number,
  { method, path, headers, body }: HttpRequest,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    // Stores are started again on the same port: no connection is kept.
    const options = { host: '127.0.0.1', port, method, path, agent: false };
    const sent = request(
      { ...options, headers: { ...headers, 'Content-Length': length } },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(pieces).toString();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new Error(`${path}: status ${status}: ${text.slice(0, 300)}`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** A form, as PromQL and InfluxQL are asked. */
export function formRequest(path: string, fields: Readonly<Record<string, string>>): HttpRequest {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', path, headers, body: new URLSearchParams(fields).toString() };
}

export function jsonRequest(
  path: string,
  body: object,
  method: HttpRequest['method'] = 'POST',
): HttpRequest {
  const headers = { 'Content-Type': 'application/json' };
  return { method, path, headers, body: JSON.stringify(body) };
}
