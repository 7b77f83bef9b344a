/** So that the line is whole at its highest and lowest. */
const EDGE = 2;

/** The path from one value to the next; gaps stay gaps, and what is alone becomes a dot. */
export function pathOf(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const least = Math.min(...known);
  const most = Math.max(...known);
  const room = height - 2 * EDGE;
  const across = width / Math.max(values.length - 1, 1);
  let path = '';
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) {
      const share = most === least ? 0.5 : (value - least) / (most - least);
      const at = `${round(index * across)} ${round(height - EDGE - share * room)}`;
      const isAlone = !isDrawing && (values[index + 1] ?? null) === null;
      path += `${isDrawing ? 'L' : 'M'}${at}${isAlone ? 'h.1' : ''}`;
    }
    isDrawing = value !== null;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
