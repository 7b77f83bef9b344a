import { ConfigError } from '../config/config-error.js';
import { ListenError } from '../http/listen-error.js';
import { DataFolderError } from '../routing/folder-lock.js';
import { TlsFileError } from '../tls/tls-material.js';

/** How the program ends; the README lists them for those who write unit files. */
export const EXIT_CODES = {
  /** It did what it was asked, or was stopped by a signal and saved all. */
  done: 0,
  /** Something went wrong that nobody foresaw, it could not be stopped well, or a second signal came. */
  failed: 1,
  /** Command line or configuration can not be used: another try helps nobody. */
  badConfig: 2,
  /** Its folder can not be used: another store has it, or it can not be written. */
  noFolder: 3,
  /** It can not listen where it should. */
  noAddress: 4,
} as const;

/** What ends a start, as an exit code and a line for the terminal. */
export function startFailure(error: unknown): { readonly code: number; readonly line: string } {
  if (error instanceof ConfigError || error instanceof TlsFileError) {
    return { code: EXIT_CODES.badConfig, line: error.message };
  }
  if (error instanceof DataFolderError) return { code: EXIT_CODES.noFolder, line: error.message };
  if (error instanceof ListenError) return { code: EXIT_CODES.noAddress, line: error.message };
  return { code: EXIT_CODES.failed, line: String(error) };
}
