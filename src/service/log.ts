import { destination, pino, stdTimeFunctions, type Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { LogTail } from './log-tail.js';

/** Levels of the log by the names that the reference has for them. */
export const PINO_LEVELS: Readonly<Record<Config['logLevel'], string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  err: 'error',
  crit: 'fatal',
};

/** Writes a line of JSON to standard output for each message; `tail` keeps the newest. */
export function makeLog({ logLevel }: Pick<Config, 'logLevel'>, tail: LogTail): Logger {
  const output = destination({ fd: process.stdout.fd, sync: true });
  const write = (line: string): void => {
    tail.add(line);
    output.write(line);
  };
  return pino(
    {
      level: PINO_LEVELS[logLevel],
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}
