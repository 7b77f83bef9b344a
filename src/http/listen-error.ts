/** The server can not listen where it should. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor({ host, port }: { host: string; port: number }, why: string, options?: ErrorOptions) {
    super(`cannot listen on ${host}:${port}: ${why}`, options);
  }
}
