import type { SelectRequest } from '../../src/model/selection.js';
import { CONTENT_TYPES, problemText } from './forms.js';
import { JsonEntries } from './json-entries.js';
import { writeBytes, type OutputTools } from './output-tools.js';
import type { Output, ResultProblem, ResultSeries } from './output.js';

/** A JSON object a line: series, and problems as they come. */
export class NdjsonOutput implements Output {
  readonly contentType = CONTENT_TYPES.ndjson;
  readonly #tools: OutputTools;
  readonly #entries: JsonEntries;

  constructor(tools: OutputTools, request: SelectRequest) {
    this.#tools = tools;
    this.#entries = new JsonEntries(
      tools,
      request.select.map(({ stats }) => stats),
    );
  }

  bytesMax(result: ResultSeries): number {
    return this.#entries.bytesMax(result) + 1;
  }

  head(): void {
    // There is none: each line stands for itself.
  }

  write(result: ResultSeries): void {
    this.#entries.write(result);
    this.#tools.writer.ascii('\n');
  }

  problem(problem: ResultProblem): void {
    writeBytes(this.#tools, Buffer.from(`${problemText(problem)}\n`));
  }

  flush(): void {
    // Nothing is gathered.
  }

  tail(): void {
    // There is none.
  }
}
