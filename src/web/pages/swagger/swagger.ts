import { urlOf } from '../kit/api.js';
import { el } from '../kit/dom.js';
import { makeShell } from '../kit/shell.js';

/** What the script before this one leaves behind; it is no module. */
declare const SwaggerUIBundle: (options: object) => unknown;

const room = el('div', { id: 'swagger' });
makeShell('swagger', el('h1', { class: 'unseen' }, 'API'), room);

followTheme();
SwaggerUIBundle({
  domNode: room,
  url: urlOf('api/openapi.json').href,
  // Otherwise it sends the file to a server of its makers.
  validatorUrl: null,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // What is asked for is asked for by the browser, with what it has logged in with.
  withCredentials: true,
  tryItOutEnabled: true,
});

/** Its sheet has a dark half, for a class on the document: ours tells when. */
function followTheme(): void {
  const root = document.documentElement;
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const follow = (): void => {
    const chosen = root.dataset['theme'];
    root.classList.toggle('dark-mode', chosen === 'dark' || (chosen !== 'light' && system.matches));
  };
  document.addEventListener('themechange', follow);
  system.addEventListener('change', follow);
  follow();
}
