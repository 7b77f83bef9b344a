import { el } from '../kit/dom.js';

type Pressed = () => void;

/** A button with a word on it, and more of them where one points at it. */
export function wordButton(title: string, words: string, click: Pressed): HTMLButtonElement {
  return el('button', { type: 'button', title: words, click }, title);
}

/** A button with a sign on it: words are what is read. */
export function signButton(sign: string, words: string, click: Pressed): HTMLButtonElement {
  return el('button', { type: 'button', title: words, 'aria-label': words, click }, sign);
}
