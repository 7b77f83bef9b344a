import type { SelectRequest } from '../../src/model/selection.js';
import { CONTENT_TYPES, headOf, SEPARATORS, tailOf } from './forms.js';
import { JsonEntries } from './json-entries.js';
import { writeBytes, type OutputTools } from './output-tools.js';
import type { Output, ResultProblem, ResultSeries } from './output.js';

/** One JSON document: `{"from":…,"to":…,"results":[…],"problems":[…]}`. */
export class JsonOutput implements Output {
  readonly contentType = CONTENT_TYPES.json;
  readonly #tools: OutputTools;
  readonly #request: SelectRequest;
  readonly #entries: JsonEntries;
  readonly #problems: ResultProblem[] = [];
  /** Whether the next entry begins a piece. */
  #isFirst = true;

  constructor(tools: OutputTools, request: SelectRequest) {
    this.#tools = tools;
    this.#request = request;
    this.#entries = new JsonEntries(
      tools,
      request.select.map(({ stats }) => stats),
    );
  }

  bytesMax(result: ResultSeries): number {
    return this.#entries.bytesMax(result) + SEPARATORS.json.length;
  }

  head(): void {
    writeBytes(this.#tools, headOf('json', this.#request));
  }

  write(result: ResultSeries): void {
    if (!this.#isFirst) this.#tools.writer.ascii(SEPARATORS.json);
    this.#isFirst = false;
    this.#entries.write(result);
  }

  /** Kept for the tail. */
  problem(problem: ResultProblem): void {
    this.#problems.push(problem);
  }

  flush(): void {
    this.#isFirst = true;
  }

  tail(): void {
    writeBytes(this.#tools, tailOf('json', this.#problems));
  }
}
