import { ConfigError } from '../config/config-error.js';
import type { Limits } from '../config/config.js';
import { parseDocument } from '../config/document.js';
import type { Wish } from '../config/change.js';

/** Who may write to NATS need not be who decides what tokens and certificates are good for. */
export const FORBIDDEN_OVER_NATS: readonly string[] = [
  'main.jwt-public-key',
  'metricshard.auth',
  'metricshard.users',
  'metricshard.tls.client-roles',
];

/** A patch in place of a whole configuration, for those who can not set a header. */
const ENVELOPE = 'merge-patch';
/**
 * Reads what was sent: a whole configuration, or a patch where the sender says so.
 *
 * @param kind what a header says that it is.
 * @param patchKind what a patch means here.
 * @throws ConfigError
 */
export function readWish(
  data: Uint8Array,
  kind: 'patch' | undefined,
  patchKind: 'patch' | 'overlay',
  { queryBodyBytesMax }: Limits,
): Wish {
  if (data.length > queryBodyBytesMax) {
    const message = `it has ${data.length} bytes, more than query-body-bytes-max (${queryBodyBytesMax})`;
    throw new ConfigError([{ path: '(file)', message }]);
  }
  const document = parseDocument(Buffer.from(data).toString(), 'it');
  if (kind === 'patch') return { kind: patchKind, document };
  if (!Object.hasOwn(document, ENVELOPE)) return { kind: 'whole', document };
  const others = Object.keys(document).filter((name) => name !== ENVELOPE);
  if (others.length > 0) {
    const message = `stands alone; ${others.slice(0, 5).join(', ')} must not be beside it`;
    throw new ConfigError([{ path: ENVELOPE, message }]);
  }
  return { kind: patchKind, document: parseDocument(JSON.stringify(document[ENVELOPE]), ENVELOPE) };
}
