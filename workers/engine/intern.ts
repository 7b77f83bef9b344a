/** Texts remembered; a slot keeps the newest of those that fall on it. */
const SLOTS = 16384;
/** Longer texts are no names; remembered, they could fill memory. */
const REMEMBERED_BYTES_MAX = 1024;
const texts: string[] = Array.from({ length: SLOTS }, () => '');

let viewed: Uint8Array | undefined;
let view: Buffer = Buffer.alloc(0);

/**
 * The text of bytes `from` … `until`. Names repeat on every line, so mostly it is one made before:
 * no new string, and its hash for a Map is known already. About 1 ns a byte.
 */
export function internText(bytes: Uint8Array, from: number, until: number): string {
  let hash = 0x811c9dc5;
  let bits = 0;
  for (let p = from; p < until; p++) {
    const byte = bytes[p]!;
    bits |= byte;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const ascii = bits < 0x80;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  if (ascii && isSame(texts[slot]!, bytes, from, until)) return texts[slot]!;
  if (viewed !== bytes) {
    viewed = bytes;
    view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const text = view.toString(ascii ? 'latin1' : 'utf8', from, until);
  if (ascii && until - from <= REMEMBERED_BYTES_MAX) texts[slot] = text;
  return text;
}

function isSame(text: string, bytes: Uint8Array, from: number, until: number): boolean {
  if (text.length !== until - from) return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[from + i]) return false;
  }
  return true;
}
