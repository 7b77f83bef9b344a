import { BACKEND_DEFAULTS } from './backend-config.js';
import { object, text, type Schema } from './schema-parts.js';

export const BACKEND_SCHEMA: Schema = object('How cc-backend is asked at `main.backend-url`.', {
  token: text('Token for its API.'),
  'token-file': text('File that holds the token, read again for each question.'),
  'nodes-interval-sec': seconds(
    'Seconds between two questions which nodes are in use.',
    BACKEND_DEFAULTS.nodesIntervalSec,
  ),
  'nodes-keep-sec': seconds(
    'Seconds that its last answer holds when it does not answer; after a start all hosts count as used as long.',
    BACKEND_DEFAULTS.nodesKeepSec,
  ),
  'timeout-sec': {
    type: 'integer',
    minimum: 1,
    maximum: 600,
    default: BACKEND_DEFAULTS.timeoutSec,
    description: 'Seconds in which an answer must be there.',
  },
  'answer-bytes-max': {
    type: 'integer',
    minimum: 1024,
    default: BACKEND_DEFAULTS.answerBytesMax,
    description: 'Bytes of one answer.',
  },
  clusters: {
    type: 'boolean',
    default: BACKEND_DEFAULTS.readsClusters,
    description: 'Whether descriptions of clusters are read from its `/api/clusters/`.',
  },
  'clusters-interval-sec': seconds(
    'Seconds between two readings of them.',
    BACKEND_DEFAULTS.clustersIntervalSec,
  ),
});

function seconds(description: string, value: number): Schema {
  return { type: 'integer', minimum: 1, maximum: 30 * 86_400, default: value, description };
}
