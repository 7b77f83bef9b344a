import { object, type Schema } from './schema-parts.js';
import { WEB_DEFAULTS } from './web-config.js';

export const WEB_SCHEMA: Schema = object('Pages for browsers.', {
  enabled: {
    type: 'boolean',
    default: WEB_DEFAULTS.isEnabled,
    description: 'Whether there are pages: `/ui/overview` and others, `/swagger`.',
  },
  hosts: {
    type: 'array',
    items: { type: 'string', format: 'not-empty', description: 'A name, without a port.' },
    default: WEB_DEFAULTS.hosts,
    description:
      'Names that browsers have for the store where a proxy is before it and changes `Host`, or where it ' +
      'listens on loopback without users and keys: there a `Host` must be one of them, an address, ' +
      '`localhost` or the name of this host.',
  },
});
