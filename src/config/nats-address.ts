/** A server of an address in the configuration. */
export interface NatsAddress {
  /** `host:port` */
  readonly server: string;
  readonly isTls: boolean;
  readonly username: string;
  readonly password: string;
}

const PORT_DEFAULT = '4222';

/**
 * Reads `nats://host:port`, `tls://host`, `nats://user:password@host` or just `host:port`.
 *
 * @throws RangeError with the sentence to show.
 */
export function parseNatsAddress(text: string): NatsAddress {
  const given = /^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || url.hostname === '' || !/^(nats|tls|tcp):$/.test(url.protocol)) {
    throw new RangeError(`"${withoutPassword(text)}" is not an address such as nats://host:4222`);
  }
  return {
    server: `${url.hostname}:${url.port || PORT_DEFAULT}`,
    isTls: url.protocol === 'tls:',
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

function withoutPassword(text: string): string {
  return text.replace(/:[^:@/]*@/, ':…@');
}
