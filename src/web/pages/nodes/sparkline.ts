import { svg } from '../kit/svg.js';
import { pathOf } from './sparkline-path.js';

const WIDTH = 120;
const HEIGHT = 22;

/** A curve in a line of text: its form, without numbers. */
export function sparkline(values: readonly (number | null)[]): SVGElement {
  const box = { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT };
  const line = { d: pathOf(values, WIDTH, HEIGHT), fill: 'none' };
  return svg('svg', { ...box, 'aria-hidden': 'true' }, svg('path', line));
}
