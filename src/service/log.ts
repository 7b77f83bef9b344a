import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Config } from '../config/config.js';

/** Levels of the log by the names that the reference has for them. */
export const PINO_LEVELS: Readonly<Record<Config['logLevel'], string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  err: 'error',
  crit: 'fatal',
};

/** Writes a line of JSON to standard output for each message. */
export function makeLog({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: PINO_LEVELS[logLevel],
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
