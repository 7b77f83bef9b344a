import { object, type Schema } from './schema-parts.js';
import { WEB_DEFAULTS } from './web-config.js';

export const WEB_SCHEMA: Schema = object('Pages for browsers.', {
  enabled: {
    type: 'boolean',
    default: WEB_DEFAULTS.isEnabled,
    description: 'Whether there are pages: `/ui/overview` and others, `/swagger`.',
  },
});
