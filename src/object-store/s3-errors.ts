import { ObjectStoreError, type ObjectStoreReason } from './object-store.js';

/** What the SDK throws, as far as it is looked at. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: string;
}

const CREDENTIALS =
  'check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile) and what they may do';

/** Codes of S3 and names of errors of the SDK that say more than the status. */
const ADVICE: Readonly<Record<string, readonly [ObjectStoreReason, string]>> = {
  NoSuchBucket: [
    'denied',
    'make the bucket, or check its name, metricshard.s3.endpoint and region',
  ],
  CredentialsProviderError: [
    'denied',
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a profile or a role',
  ],
  RequestTimeTooSkewed: ['denied', "set this host's clock"],
  PermanentRedirect: ['denied', 'set metricshard.s3.region and endpoint to those of the bucket'],
  AuthorizationHeaderMalformed: ['denied', 'set metricshard.s3.region to that of the bucket'],
  NoSuchKey: ['missing', 'it was deleted, or never put'],
  NotFound: ['missing', 'it was deleted, or never put'],
  PreconditionFailed: ['failed', 'it was replaced meanwhile; try it again'],
  QuotaExceeded: ['failed', 'there is no room on the server'],
};

const LOCAL_CODES = new Set([
  'EISDIR',
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'ENOENT',
]);

export function statusOf(error: unknown): number | undefined {
  return (error as SdkError).$metadata?.httpStatusCode;
}

/** An error of the SDK as ours: `what` was tried on `address`. */
export function toObjectStoreError(
  error: unknown,
  address: string,
  what: string,
): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const [reason, advice] = classify(error as SdkError);
  return new ObjectStoreError(
    reason,
    `${address} ${what}: ${saying(error as SdkError)}; ${advice}`,
    {
      cause: error,
    },
  );
}

function classify(error: SdkError): readonly [ObjectStoreReason, string] {
  const known = ADVICE[error.name];
  if (known) return known;
  const status = statusOf(error);
  if (status === 401 || status === 403) return ['denied', CREDENTIALS];
  if (status === 404) return ADVICE['NotFound']!;
  if (status === 301 || status === 307) return ADVICE['PermanentRedirect']!;
  if (status === 429 || (status !== undefined && status >= 500 && status !== 501)) {
    return ['unreachable', 'the server is busy or in trouble; it may pass'];
  }
  // A body that was cut off comes with a code of the network, the local disk's are others.
  if (LOCAL_CODES.has(error.code ?? '')) return ['failed', 'check the local disk'];
  if (error.name === 'Error' && error.code === undefined) return ['failed', 'try it again'];
  if (status === undefined || status < 300) {
    return ['unreachable', 'check metricshard.s3.endpoint, the network and the server'];
  }
  return [
    'failed',
    'this server may not know what was asked for; see metricshard.s3.checksum-mode',
  ];
}

/** The name of an error with its message, without saying the same twice. */
function saying(error: SdkError): string {
  const status = statusOf(error);
  // An answer to HEAD has no body: the SDK has nothing to tell but that.
  const name = error.name === 'Error' || error.name === 'Unknown' ? (error.code ?? '') : error.name;
  const isEmpty = error.message === '' || error.message === 'UnknownError';
  const message = isEmpty || error.message === name ? '' : error.message;
  const isTwice = message.includes(name);
  const shown = [isTwice ? '' : name, message].filter((part) => part !== '').join(': ');
  return status === undefined ? shown : `${shown} (HTTP ${status})`.trim();
}
