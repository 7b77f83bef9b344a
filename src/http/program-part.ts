import type { Route } from './route.js';

/** A part of the program beside the store that has something to tell: NATS, tokens, configuration. */
export interface ProgramPart {
  /** Its key in `/api/v2/status`. */
  readonly name: string;
  /** What `/api/v2/status` tells of it. */
  status(): object;
  /** Its families in the Prometheus text format, each line ended. */
  metrics(): string;
  /** What is wrong with it now, each in words that tell what to do; empty or absent: nothing. */
  problems?(): readonly string[];
  /** Lines that it has taken from elsewhere than requests, whatever became of them. */
  linesTotal?(): number;
  /** Paths that it answers itself. */
  readonly routes?: Readonly<Record<string, Route>>;
}
