/** Longer ones are no slip of the pen, and not worth the time. */
const CHARS_MAX = 32;

/** The one of some words that a word was most likely meant to be; undefined if none is near. */
export function nearestOf<Word extends string>(
  text: string,
  words: readonly Word[],
): Word | undefined {
  if (text.length > CHARS_MAX) return undefined;
  const wanted = text.toLowerCase().replaceAll('_', '-');
  let nearest: Word | undefined;
  let least = Infinity;
  for (const word of words) {
    const changes = changesBetween(wanted, word.toLowerCase());
    // Half of a short word changed is another word.
    if (changes < least && changes <= 2 && changes * 2 < word.length) {
      nearest = word;
      least = changes;
    }
  }
  return nearest;
}

/** Characters to insert, remove or replace to make one text of the other (Levenshtein 1966). */
export function changesBetween(source: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, i) => i);
  for (let i = 1; i <= source.length; i++) {
    const next = [i];
    for (let k = 1; k <= target.length; k++) {
      const replaced = row[k - 1]! + (source[i - 1] === target[k - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[k]! + 1, next[k - 1]! + 1));
    }
    row = next;
  }
  return row[target.length]!;
}
