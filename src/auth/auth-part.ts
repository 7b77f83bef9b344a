import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import type { TokenVerifier } from './token-verifier.js';

/** What `/api/v2/status` and `/metrics` tell of tokens. */
export function authPart(verifier: TokenVerifier): ProgramPart {
  return {
    name: 'auth',
    status: () => verifier.status(),
    metrics: () => metricsOf(verifier),
  };
}

function metricsOf(verifier: TokenVerifier): string {
  const { required, tokensCached, verified, fromCache, refused, keys, revocations } =
    verifier.status();
  const total = keys.reduce((sum, source) => sum + source.keys, 0);
  const problems = [...keys, ...(revocations ? [revocations] : [])];
  const failing = problems.filter(({ problem }) => problem !== '').length;
  const byReason = Object.entries(refused).map(
    ([reason, count]) => `{reason="${reason}"} ${count}`,
  );
  const right = 'tokens whose signature was checked and is right';
  const sources = 'sources of keys and revocations that cannot be read now';
  return [
    metricFamily('auth_required', 'gauge', '1 while requests need a token', required ? 1 : 0),
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
      'requests without a token that counts, by reason',
      byReason,
    ),
    metricFamily('auth_keys', 'gauge', 'keys that tokens may be signed with', total),
    metricFamily('auth_sources_failing', 'gauge', sources, failing),
  ].join('');
}
