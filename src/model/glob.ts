const ANY_RUN = '*';
const ANY_ONE = '?';

/** Whether a text is a pattern, not a plain name. */
export function isGlob(text: string): boolean {
  return text.includes(ANY_RUN) || text.includes(ANY_ONE);
}

/**
 * A test for texts that a pattern matches as a whole: `*` stands for any characters, `?` for one.
 * Only the last `*` is ever tried again, so that no pattern takes more than its length times the
 * text's.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  if (!isGlob(pattern)) return (text) => text === pattern;
  return (text) => {
    let at = 0;
    let star = -1;
    let resumeAt = 0;
    for (let i = 0; i < text.length;) {
      if (pattern[at] === ANY_RUN) {
        star = at++;
        resumeAt = i;
      } else if (at < pattern.length && (pattern[at] === ANY_ONE || pattern[at] === text[i])) {
        at++;
        i++;
      } else if (star >= 0) {
        at = star + 1;
        i = ++resumeAt;
      } else return false;
    }
    while (pattern[at] === ANY_RUN) at++;
    return at === pattern.length;
  };
}
