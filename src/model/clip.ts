const CLIP_CHARS = 60;

/** What a message tells of a value that may be long. */
export function clip(text: string): string {
  return text.length > CLIP_CHARS ? `${text.slice(0, CLIP_CHARS - 1)}…` : text;
}
