import { Agent, request as httpRequest } from 'node:http';

/** An answer as a whole. */
export interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Buffer;
}

export interface Asked {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is not answered by then is not answered. */
const ANSWER_MS_MAX = 30_000;
const SOCKETS_MAX = 32;

/** Where the store listens now. */
export interface Target {
  readonly port: number;
}

/** Asks whichever process of the store there is, with a token if it wants one. */
export class HttpClient {
  readonly #targetOf: () => Target | undefined;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });

  constructor(targetOf: () => Target | undefined, token: string) {
    this.#targetOf = targetOf;
    this.#token = token;
  }

  get authorization(): Readonly<Record<string, string>> {
    return this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /** Rejects where there is no store, or no whole answer of it. */
  ask(path: string, { method, body, headers }: Asked = {}): Promise<Answer> {
    const target = this.#targetOf();
    if (!target) return Promise.reject(new Error('there is no store now'));
    return new Promise((resolve, reject) => {
      const sent = httpRequest({
        host: '127.0.0.1',
        port: target.port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        agent: this.#agent,
        timeout: ANSWER_MS_MAX,
        headers: {
          ...this.authorization,
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      });
      sent.once('timeout', () => sent.destroy(new Error(`${path}: no answer`)));
      sent.once('error', reject);
      sent.once('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('error', reject);
        response.once('close', () => {
          if (!response.complete) return reject(new Error(`${path}: half an answer`));
          const status = response.statusCode!;
          const etag = response.headers.etag ?? '';
          resolve({ status, etag, body: Buffer.concat(pieces) });
        });
      });
      sent.end(body);
    });
  }

  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask(path, { method: 'POST', body: text, ...(headers && { headers }) });
  }

  /** Rejects as well where the answer is no success. */
  // oxlint-disable-next-line typescript/no-explicit-any
  async json(path: string): Promise<any> {
    const { status, body } = await this.ask(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${body.toString().slice(0, 300)}`);
    return JSON.parse(body.toString());
  }

  close(): void {
    this.#agent.destroy();
  }
}
