import { STATUS_CODES } from 'node:http';

/** `400 Bad Request`: the status line's text. */
export function statusLine(status: number): string {
  return `${status} ${reasonPhrase(status)}`;
}

/** `Bad Request`. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}
