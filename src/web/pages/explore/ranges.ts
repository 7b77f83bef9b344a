import { el } from '../kit/dom.js';
import { signButton, wordButton } from './buttons.js';
import { move, zoom, type Range } from './times.js';

const QUICK = ['-1h', '-6h', '-24h', '-48h'];

/** Buttons and keys for other ranges of time. */
export interface RangeTools {
  readonly element: HTMLElement;
  /** Does what a key means for the range; for where the charts are. */
  pressed(event: KeyboardEvent): void;
  /** Tells what is asked for. */
  show(range: Range, nowSec: number, hasBefore: boolean): void;
}

interface RangeEvents {
  readonly ranged: (range: Range) => void;
  readonly quick: (from: string) => void;
  readonly back: () => void;
}

/** Keys are + - and arrows. Until something was asked for there is no range to change. */
export function makeRangeTools({ ranged, quick, back }: RangeEvents): RangeTools {
  let shown: { readonly range: Range; readonly nowSec: number } | undefined;
  const stepOf = (change: (range: Range, nowSec: number) => Range) => (): void => {
    if (shown) ranged(change(shown.range, shown.nowSec));
  };
  const steps: Readonly<Record<string, () => void>> = {
    ArrowLeft: stepOf((range, nowSec) => move(range, -0.5, nowSec)),
    ArrowRight: stepOf((range, nowSec) => move(range, 0.5, nowSec)),
    '+': stepOf((range, nowSec) => zoom(range, 0.5, nowSec)),
    '-': stepOf((range, nowSec) => zoom(range, 2, nowSec)),
  };
  const pressed = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (!step || !shown || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step();
  };
  const backButton = wordButton('Back', 'to the range before', back);
  const changing = [
    signButton('←', 'earlier', steps['ArrowLeft']!),
    signButton('→', 'later', steps['ArrowRight']!),
    signButton('+', 'zoom in', steps['+']!),
    signButton('−', 'zoom out', steps['-']!),
  ];
  const enable = (hasBefore: boolean): void => {
    for (const button of changing) button.disabled = shown === undefined;
    backButton.disabled = !hasBefore;
  };
  enable(false);
  return {
    element: el(
      'div',
      {
        class: 'tools',
        role: 'group',
        'aria-label': 'Range of time',
        keydown: (event) => pressed(event as KeyboardEvent),
      },
      QUICK.map((from) =>
        wordButton(from.replace('-', '−'), `the last ${from.slice(1)}`, () => quick(from)),
      ),
      changing,
      backButton,
    ),
    pressed,
    show(range, nowSec, hasBefore) {
      shown = { range, nowSec };
      enable(hasBefore);
    },
  };
}
