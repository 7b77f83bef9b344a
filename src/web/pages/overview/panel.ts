import type { Rates, Status } from './answers.js';

/** A part of the page that shows some of what was told. */
export interface Panel {
  readonly element: HTMLElement;
  setRates?(rates: Rates): void;
  setStatus?(status: Status): void;
}
