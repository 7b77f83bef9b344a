import type { SelectRequest } from '../../src/model/selection.js';
import { ArrowOutput } from './arrow-output.js';
import { CsvOutput } from './csv-output.js';
import type { OutputForm } from './forms.js';
import { JsonOutput } from './json-output.js';
import { NdjsonOutput } from './ndjson-output.js';
import type { OutputTools } from './output-tools.js';
import type { Output } from './output.js';

/** An output of a form, for one answer. The request fits the form (see `checkForm`). */
export function makeOutput(form: OutputForm, tools: OutputTools, request: SelectRequest): Output {
  switch (form) {
    case 'json':
      return new JsonOutput(tools, request);
    case 'ndjson':
      return new NdjsonOutput(tools, request);
    case 'csv':
      return new CsvOutput(tools, request);
    case 'arrow':
      return new ArrowOutput(tools, request);
  }
}
