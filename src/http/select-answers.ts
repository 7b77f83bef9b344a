import { CONTENT_TYPES, OUTPUT_FORMS, type OutputForm } from '../../workers/output/forms.js';
import type { Identity } from '../auth/identity.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { parseJobStatsRequest } from '../model/parse-job-stats.js';
import { parseSelectRequest } from '../model/parse-selection.js';
import type { Selections, SelectSink, Store } from '../routing/store.js';
import { chooseMediaType } from './accept.js';
import { requireClusters } from './cluster-access.js';
import { isLowPriority } from './parameters.js';
import { answerBytes, answerError, answerNotModified, openAnswer } from './answers.js';
import type { AnswerStream, HttpExchange } from './server.js';

/** Media types by form, without parameters. */
const MEDIA_TYPES = OUTPUT_FORMS.map((form) => CONTENT_TYPES[form].split(';')[0]!);

/** POST /api/v2/query: a selection, in the form that Accept or the parameter `format` asks for. */
export function select(
  exchange: HttpExchange,
  store: Store,
  selections: Selections,
  limits: Limits,
  body: string,
  identity: Identity,
): void {
  const form = formOf(exchange);
  const isLow = isLowPriority(exchange.query);
  const request = parseSelectRequest(body, Math.floor(Date.now() / 1000), limits);
  requireClusters(identity, 'query', request.clusters);
  const contentType = CONTENT_TYPES[form];
  const etag = request.isFixed
    ? store.versionOf([request], `${form} ${body}`, request.archive)
    : undefined;
  if (etag !== undefined && answerNotModified(exchange, etag, true)) return;
  let stream: AnswerStream | undefined;
  const open = (): AnswerStream => {
    const head = { contentType, compressible: true, etag, variesByType: true };
    const opened = openAnswer(exchange, head);
    opened.onDrain = () => running.drained();
    return opened;
  };
  const sink: SelectSink = {
    deliver: (answer) => {
      if (!answer.ok) answerError(exchange, answer.error);
      else answerBytes(exchange, { contentType, body: answer.bytes, etag, variesByType: true });
    },
    write: (bytes) => {
      stream ??= open();
      return stream.write(bytes);
    },
    end: () => stream?.end(),
    abort: () => stream?.abort(),
  };
  const running = selections.select(request, form, sink, isLow);
  exchange.onAbort = () => running.cancel();
}

/** POST /api/v2/job-stats: statistics of many jobs. */
export function jobStats(
  exchange: HttpExchange,
  store: Store,
  limits: Limits,
  body: string,
  identity: Identity,
): void {
  const isLow = isLowPriority(exchange.query);
  const request = parseJobStatsRequest(body, Math.floor(Date.now() / 1000), limits);
  requireClusters(identity, 'query', new Set(request.jobs.map(({ cluster }) => cluster)));
  const isFixed = request.jobs.every((job) => job.isFixed);
  const etag = isFixed ? store.versionOf(request.jobs, body, request.archive) : undefined;
  if (etag !== undefined && answerNotModified(exchange, etag)) return;
  store.jobStats(request, isLow).then(
    (json) => answerBytes(exchange, { contentType: CONTENT_TYPES.json, body: json, etag }),
    (error: unknown) => answerError(exchange, error),
  );
}

/** A parameter goes before the header, which not every client can set. */
function formOf(exchange: HttpExchange): OutputForm {
  const named = exchange.query.get('format');
  if (named !== null) {
    const form = OUTPUT_FORMS.find((known) => known === named);
    if (form) return form;
    const known = OUTPUT_FORMS.join(', ');
    throw new StoreError('bad-request', `parameter format: "${named}" is not one of ${known}`);
  }
  const accepted = exchange.header('accept');
  const type = chooseMediaType(accepted, MEDIA_TYPES);
  if (type !== undefined) return OUTPUT_FORMS[MEDIA_TYPES.indexOf(type)]!;
  const offered = MEDIA_TYPES.join(', ');
  throw new StoreError('not-acceptable', `Accept "${accepted}" has none of ${offered}`);
}
