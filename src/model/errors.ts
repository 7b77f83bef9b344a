/** Every error the store answers with: its code and the HTTP status that goes with it. */
export const ERROR_STATUS = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'other-site': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  'request-timeout': 408,
  conflict: 409,
  'body-too-large': 413,
  'unsupported-encoding': 415,
  'limit-exceeded': 400,
  'too-many-requests': 429,
  'headers-too-large': 431,
  internal: 500,
  'queue-full': 503,
  'shard-unavailable': 503,
  'log-failed': 503,
  'archive-unavailable': 503,
  'keys-unavailable': 503,
  stopping: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** An error with a code of {@link ERROR_STATUS}; the message says what, where, and what to do. */
export class StoreError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** The form in which an error crosses a thread boundary. */
  toData(): ErrorData {
    return { code: this.code, message: this.message };
  }

  static fromData(data: ErrorData): StoreError {
    return new StoreError(data.code, data.message);
  }
}

export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
}
