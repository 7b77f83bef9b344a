import type { Identity } from '../auth/identity.js';
import { ConfigError } from '../config/config-error.js';
import { parseDocument } from '../config/document.js';
import { answerOf, sentenceOf, type ChangeRequest, type ChangeResult } from '../config/change.js';
import { StoreError, type ErrorCode } from '../model/errors.js';
import { answerError, answerJson, answerJsonText } from './answers.js';
import { requireAllClusters } from './cluster-access.js';
import type { Route } from './route.js';
import type { WithBody } from './select-routes.js';
import type { HttpExchange } from './server.js';

/** The configuration that is in effect, and the way to another one. */
export interface ConfigAdmin {
  /** All of it, with origins and without secrets. */
  show(): object;
  /** Rejects only where too many changes wait. */
  change(request: ChangeRequest): Promise<ChangeResult>;
}

/** Statuses of what is refused. */
const REFUSALS: Readonly<Record<string, ErrorCode>> = {
  invalid: 'bad-request',
  restart: 'conflict',
  failed: 'internal',
};

/** Paths that show and change the configuration. */
export function configRoutes(
  config: ConfigAdmin,
  withBody: WithBody,
): Readonly<Record<string, Route>> {
  const change = (exchange: HttpExchange, request: ChangeRequest): void => {
    config
      .change({ ...request, isDryRun: isDryRun(exchange) })
      .then((result) => answerChange(exchange, result))
      .catch((error: unknown) => answerError(exchange, error));
  };
  const withDocument = (kind: 'whole' | 'patch'): Route['run'] =>
    withBody((exchange, body, identity) => {
      isDryRun(exchange);
      const wish = documentOf(exchange, kind, body);
      if (wish) change(exchange, { wish, source: sourceOf(exchange, identity) });
    });
  const runs: Readonly<Record<string, Route['run']>> = {
    GET: (exchange) => answerJsonText(exchange, JSON.stringify(config.show())),
    PUT: withDocument('whole'),
    PATCH: withDocument('patch'),
    DELETE: (exchange, identity) => {
      change(exchange, { wish: { kind: 'withdraw' }, source: sourceOf(exchange, identity) });
    },
  };
  return {
    '/api/v2/admin/config': {
      methods: Object.keys(runs),
      permission: 'admin',
      run: (exchange, identity) => {
        requireAllClusters(identity, 'admin');
        runs[exchange.method]!(exchange, identity);
      },
    },
    '/api/v2/admin/reload': {
      methods: ['POST'],
      permission: 'admin',
      run: (exchange, identity) => {
        requireAllClusters(identity, 'admin');
        change(exchange, { wish: { kind: 'reload' }, source: sourceOf(exchange, identity) });
      },
    },
  };
}

/** undefined: it can not be read, which is answered. */
function documentOf(
  exchange: HttpExchange,
  kind: 'whole' | 'patch',
  body: string,
): ChangeRequest['wish'] | undefined {
  try {
    return { kind, document: parseDocument(body, 'the body') };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { problems } = error;
    answerError(exchange, new StoreError('bad-request', problems[0]!.message), {
      problems: problems.map(({ path, message }) => ({ setting: path, message })),
    });
    return undefined;
  }
}

function answerChange(exchange: HttpExchange, result: ChangeResult): void {
  const refusal = REFUSALS[result.outcome];
  if (refusal === undefined) answerJson(exchange, 200, { status: 'OK', ...answerOf(result) });
  else answerError(exchange, new StoreError(refusal, sentenceOf(result)), answerOf(result));
}

function sourceOf({ method, path }: HttpExchange, { name }: Identity): string {
  return `${method} ${path} by ${name}`;
}

function isDryRun(exchange: HttpExchange): boolean {
  const value = exchange.query.get('dry-run') ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new StoreError(
    'bad-request',
    `parameter dry-run: "${value.slice(0, 60)}" is not true or false`,
  );
}
