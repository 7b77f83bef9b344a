import type { Answer, Question } from '../questions.js';
import { fetchText, type HttpRequest, type Load } from '../store.js';
import { countByPromql, promqlRequest, readPromql, type Dialect } from './promql.js';
import { StoreServer } from './store-server.js';

/** A store that is asked in PromQL. */
export abstract class PromqlServer extends StoreServer {
  protected abstract readonly dialect: Dialect;

  count(untilSec: number): Promise<number> {
    return countByPromql(this.port, this.context.written, untilSec);
  }

  async ask(question: Question, selection: number): Promise<Answer> {
    const request = this.requestsOf(question)[selection]!;
    return readPromql(this.dialect, question, await fetchText(this.port, request));
  }

  load(question: Question): Load {
    return { kind: 'http', port: this.port, requests: this.requestsOf(question) };
  }

  /** One for each selection of a question. */
  protected requestsOf(question: Question): HttpRequest[] {
    const { stepSec } = this.context.written;
    return question.selections.map((one) => promqlRequest(this.dialect, question, one, stepSec));
  }
}
