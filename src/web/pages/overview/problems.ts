import { el, fill } from '../kit/dom.js';
import type { Problem } from './answers.js';
import type { Panel } from './panel.js';

/** What is wrong with the store itself, in its own words. */
export function problemsPanel(): Panel {
  const list = el('ul', { class: 'problems' });
  const element = el(
    'section',
    { class: 'panel warning', 'aria-labelledby': 'problems', hidden: true },
    el('h2', { id: 'problems' }, 'What needs attention'),
    list,
  );
  let shown = '';
  return {
    element,
    setStatus({ problems = [] }) {
      const key = JSON.stringify(problems);
      if (key === shown) return;
      shown = key;
      element.hidden = problems.length === 0;
      fill(list, problems.map(problemItem));
    },
  };
}

function problemItem({ part, text }: Problem): HTMLElement {
  return el('li', {}, el('span', { class: 'state warn' }, part), ' ', text);
}
