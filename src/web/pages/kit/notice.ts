import { ApiError } from './api.js';
import { el } from './dom.js';

const SHOWN_MS = 8000;

/** Tells something that was done or went wrong, at the edge of the page, and to screen readers. */
export function tell(text: string, kind: 'done' | 'failed' = 'done'): void {
  const notices = document.getElementById('notices');
  if (!notices) return;
  const notice = el(
    'div',
    { class: `notice ${kind}`, role: kind === 'failed' ? 'alert' : 'status' },
    text,
  );
  notice.append(
    el('button', { type: 'button', 'aria-label': 'dismiss', click: () => notice.remove() }, '×'),
  );
  notices.append(notice);
  if (kind === 'done') window.setTimeout(() => notice.remove(), SHOWN_MS);
}

/** Tells an error in the store's own words; what was given up on purpose is none. */
export function tellError(error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  tell(wordsOf(error), 'failed');
}

export function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 403) return `not allowed: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
