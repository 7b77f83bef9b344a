import { EXIT_CODES } from './exit-codes.js';

/** Where the last words go; pino writes a fatal line before it returns. */
export interface FatalLogger {
  fatal(fields: object, message: string): void;
}

/**
 * Has the process tell of an error that nobody caught, and end. It saves nothing: what was answered is in the
 * log of the shards, which the operating system has, and who knows what state the rest is in.
 */
export function endOnUncaught(log: FatalLogger): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    try {
      log.fatal({ origin, stack }, 'an error that nobody foresaw: the store ends, start it again');
    } finally {
      process.exit(EXIT_CODES.failed);
    }
  });
}
