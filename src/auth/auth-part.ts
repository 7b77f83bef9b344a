import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Callers } from './callers.js';

/** What `/api/v2/status` and `/metrics` tell of tokens and passwords. */
export function authPart(callers: Callers): ProgramPart {
  return {
    name: 'auth',
    status: () => callers.status(),
    metrics: () => metricsOf(callers),
    problems: () => problemsOf(callers),
  };
}

function problemsOf(callers: Callers): string[] {
  const { keys, revocations } = callers.status();
  const ofKeys = keys
    .filter(({ problem }) => problem !== '')
    .map(({ source, problem }) => `keys of ${source} cannot be read: ${problem}`);
  if (!revocations || revocations.problem === '') return ofKeys;
  const { file, problem } = revocations;
  return [...ofKeys, `revoked tokens in "${file}" cannot be read: ${problem}`];
}

function metricsOf(callers: Callers): string {
  const status = callers.status();
  const { required, tokensCached, verified, fromCache, refused, keys, revocations } = status;
  const { users, lockOuts } = status;
  const total = keys.reduce((sum, source) => sum + source.keys, 0);
  const problems = [...keys, ...(revocations ? [revocations] : [])];
  const failing = problems.filter(({ problem }) => problem !== '').length;
  const byReason = Object.entries(refused).map(
    ([reason, count]) => `{reason="${reason}"} ${count}`,
  );
  const right = 'tokens whose signature was checked and is right';
  const checks = 'passwords that were checked, be they right or wrong';
  const locked = 'requests answered 429, as too many of their address were refused';
  const sources = 'sources of keys and revocations that cannot be read now';
  return [
    metricFamily(
      'auth_required',
      'gauge',
      '1 while requests need a token or password',
      required ? 1 : 0,
    ),
    metricFamily(
      'auth_tokens_cached',
      'gauge',
      'verified tokens that are remembered',
      tokensCached,
    ),
    metricFamily('auth_tokens_verified_total', 'counter', right, verified),
    metricFamily('auth_cache_hits_total', 'counter', 'requests whose token was known', fromCache),
    metricFamily(
      'auth_tokens_refused_total',
      'counter',
      'requests without a token or password that counts, by reason',
      byReason,
    ),
    metricFamily('auth_keys', 'gauge', 'keys that tokens may be signed with', total),
    metricFamily('auth_sources_failing', 'gauge', sources, failing),
    metricFamily('auth_users', 'gauge', 'users of the configuration', users.count),
    metricFamily('auth_passwords_cached', 'gauge', 'right passwords remembered', users.cached),
    metricFamily('auth_password_checks_total', 'counter', checks, users.checks),
    metricFamily('auth_lock_outs_total', 'counter', 'addresses locked out', lockOuts.lockOuts),
    metricFamily('auth_locked_out_total', 'counter', locked, lockOuts.refused),
  ].join('');
}
