/** How much of what was answered a model had something to say about. */
export interface Tally {
  /** Results with numbers. */
  readonly answered: number;
  /** Those of them whose numbers were compared. */
  readonly compared: number;
}

/** What a model says of an answer. */
export interface Verdict extends Tally {
  /** What is wrong, '' = nothing. */
  readonly difference: string;
}
