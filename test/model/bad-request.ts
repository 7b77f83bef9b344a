import { StoreError } from '../../src/model/errors.js';

/** The message that a request is refused with; other errors, and none, are told as what they are. */
export function refusalOf(read: () => unknown): string {
  try {
    return `no error, but ${JSON.stringify(read())}`;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'bad-request') return error.message;
    return `no bad-request, but ${String(error)}`;
  }
}
