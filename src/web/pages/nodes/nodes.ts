import { readState } from '../kit/url-state.js';
import { showAll } from './all-nodes.js';
import { showNode } from './node.js';
import { keepAges } from './parts.js';

const address = readState();
const cluster = address.get('cluster') ?? '';
const node = address.get('node') ?? '';
if (cluster !== '' && node !== '') showNode(cluster, node);
else showAll();
keepAges();
