import { el, type Child } from '../kit/dom.js';
import { button } from './view.js';

/** Asks before something that can not be undone. Whoever just presses Enter or Escape does nothing. */
export function confirmed(
  title: string,
  lines: readonly Child[],
  yes: string,
  isDangerous = false,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = button('Cancel', () => dialog.close());
    const accept = button(yes, () => dialog.close('yes'), isDangerous ? 'danger' : 'main');
    cancel.autofocus = true;
    const dialog = el(
      'dialog',
      { 'aria-labelledby': 'question' },
      el('h2', { id: 'question' }, title),
      ...lines.map((line) => el('p', {}, line)),
      el('div', { class: 'fields' }, cancel, accept),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
