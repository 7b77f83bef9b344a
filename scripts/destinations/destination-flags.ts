import { readFileSync } from 'node:fs';
import type { Destination } from './destination.js';
import { LineFile } from './line-file.js';
import { LinePoster, urlOf } from './line-poster.js';

/** Flags of the commands that send lines, for `parseArgs`. */
export const DESTINATION_FLAGS = {
  url: { type: 'string' },
  token: { type: 'string' },
  'token-file': { type: 'string' },
  nats: { type: 'string' },
  subject: { type: 'string' },
  jetstream: { type: 'boolean' },
  creds: { type: 'string' },
} as const;

export const DESTINATION_USAGE = `  --url URL          a store, such as http://127.0.0.1:8082; a path is kept, /api/write is the default
  --token-file FILE  with the token, if the store asks for one; else it is taken from the environment
                     variable METRICSHARD_TOKEN. --token TOKEN can be seen by all users of the machine
  --nats URL         a server of NATS, such as nats://127.0.0.1:4222, in place of --url
  --subject NAME     of NATS, default hpc-nats
  --jetstream        a stream takes the subject: waits until it has each message
  --creds FILE       credentials of NATS`;

/** Where lines are to go; one of the first three is set. */
export interface DestinationOptions {
  readonly url?: URL;
  readonly nats?: string;
  readonly file?: string;
  readonly token: string | undefined;
  readonly subject: string | undefined;
  readonly usesStream: boolean;
  readonly credentialsFile: string;
}

type Values = {
  readonly [Flag in keyof typeof DESTINATION_FLAGS]?: string | boolean | undefined;
};

/**
 * Reads the flags; `file` is where lines go that are not sent.
 *
 * @throws Error that says what is wrong with them.
 */
export function destinationOf(values: Values, file?: string): DestinationOptions {
  const text = (flag: keyof Values): string | undefined => values[flag] as string | undefined;
  const { url, nats } = { url: text('url'), nats: text('nats') };
  const given = [url, nats, file].filter((one) => one !== undefined);
  const choice = file === undefined ? '--url or --nats' : '--url, --nats or --out';
  if (given.length === 0) throw new Error(`say where lines go: ${choice}`);
  if (given.length > 1) throw new Error(`lines go to one place: ${choice}`);
  const only = (flag: keyof Values, other: string, isThere: boolean): void => {
    if (values[flag] !== undefined && !isThere) throw new Error(`--${flag} goes with ${other}`);
  };
  only('token', '--url', url !== undefined);
  only('token-file', '--url', url !== undefined);
  for (const flag of ['subject', 'jetstream', 'creds'] as const) {
    only(flag, '--nats', nats !== undefined);
  }
  return {
    ...(nats === undefined && file === undefined && { url: urlOf(url) }),
    ...(nats !== undefined && { nats }),
    ...(file !== undefined && { file }),
    token: tokenOf(text('token'), text('token-file')),
    subject: text('subject'),
    usesStream: values.jetstream === true,
    credentialsFile: text('creds') ?? '',
  };
}

/** What a message says of where lines go. */
export function destinationName({ url, nats, file }: DestinationOptions): string {
  return (
    url?.href ?? nats?.replace(/:[^:@/]*@/, ':…@') ?? (file === '-' ? 'standard output' : file!)
  );
}

/** Opens it. `waitsUntil`: a store that does not answer is waited for until then. */
export async function openDestination(
  options: DestinationOptions,
  print: (text: string) => void,
  waitsUntil?: AbortSignal,
): Promise<Destination> {
  const { url, nats, file, token, subject, usesStream, credentialsFile } = options;
  if (url) return new LinePoster(url, print, { token, waitsUntil });
  if (file !== undefined) return new LineFile(file, print);
  const { LinePublisher, SUBJECT_DEFAULT } = await import('./line-publisher.js');
  const given = {
    address: nats!,
    subject: subject ?? SUBJECT_DEFAULT,
    usesStream,
    credentialsFile,
  };
  return LinePublisher.connect(given, print);
}

function tokenOf(token: string | undefined, file: string | undefined): string | undefined {
  if (token !== undefined && file !== undefined)
    throw new Error('--token or --token-file, not both');
  if (file === undefined) return token;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `--token-file ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
