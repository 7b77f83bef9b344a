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
  const lines: string[] = [];
  const family = (name: string, type: string, help: string, values: readonly string[]): void => {
    const full = `metricshard_auth_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
    for (const value of values) lines.push(full + value);
  };
  family('required', 'gauge', '1 while requests need a token', [` ${required ? 1 : 0}`]);
  family('tokens_cached', 'gauge', 'verified tokens that are remembered', [` ${tokensCached}`]);
  family('tokens_verified_total', 'counter', 'tokens whose signature was checked and is right', [
    ` ${verified}`,
  ]);
  family('cache_hits_total', 'counter', 'requests whose token was known', [` ${fromCache}`]);
  family(
    'tokens_refused_total',
    'counter',
    'requests without a token that counts, by reason',
    Object.entries(refused).map(([reason, count]) => `{reason="${reason}"} ${count}`),
  );
  const total = keys.reduce((sum, source) => sum + source.keys, 0);
  family('keys', 'gauge', 'keys that tokens may be signed with', [` ${total}`]);
  const problems = [...keys, ...(revocations ? [revocations] : [])];
  const failing = problems.filter(({ problem }) => problem !== '').length;
  family('sources_failing', 'gauge', 'sources of keys and revocations that cannot be read now', [
    ` ${failing}`,
  ]);
  return lines.map((line) => `${line}\n`).join('');
}
