import { el, type Child } from '../kit/dom.js';
import { ago, duration, time } from '../kit/format.js';
import type { MetricHealth, MetricState, NodeState } from './states.js';

const AGE_EACH_MS = 5000;

/** A state as a word in its colour. */
export function stateBadge(state: NodeState | MetricState, isFlapping = false): Child {
  return [
    el('span', { class: `state ${state}` }, state),
    isFlapping && el('span', { class: 'quiet', title: 'it changes often' }, ' flapping'),
  ];
}

/** A time and how long that is, which is kept right by `keepAges`. */
export function since(seconds: number | null): Child {
  if (seconds === null) return 'never';
  return [el('span', { class: 'nowrap' }, time(seconds)), ' ', age(seconds, 'for')];
}

/** How long ago, kept right by `keepAges`. */
export function age(seconds: number, kind: 'for' | 'ago' = 'ago'): HTMLElement {
  const element = el('span', { class: 'quiet nowrap', 'data-sec': seconds, 'data-kind': kind });
  setAge(element);
  return element;
}

/** Keeps all ages on the page right, while it is seen. */
export function keepAges(): void {
  window.setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll<HTMLElement>('[data-sec]')) setAge(element);
  }, AGE_EACH_MS);
}

/** What is wrong with a metric, in few words. */
export function troubleOf({ metric, state, ...health }: MetricHealth): string {
  const count = state === 'stuck' ? health.stuckSeries : health.lateSeries;
  const of = health.series > 1 && count > 0 && state !== 'missing';
  return `${metric} ${state}${of ? ` (${count} of ${health.series})` : ''}`;
}

function setAge(element: HTMLElement): void {
  // Clocks of browser and store differ by some; and nobody wants milliseconds here.
  const seconds = Math.min(Number(element.dataset['sec']), Math.floor(Date.now() / 1000) - 1);
  const isFor = element.dataset['kind'] === 'for';
  const text = isFor ? `(${duration(Math.max(0, Date.now() / 1000 - seconds))})` : ago(seconds);
  if (element.textContent !== text) element.textContent = text;
}
