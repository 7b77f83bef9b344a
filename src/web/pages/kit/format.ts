const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const ABSENT = '–';

/** Shown where there is no value. */
export type Maybe = number | null | undefined;

/** Three digits and a prefix: `8.21 M`. */
export function short(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const size = Math.abs(value);
  if (size < 1000) return digits(value);
  const power = Math.min(Math.floor(Math.log10(size) / 3), PREFIXES.length - 1);
  return `${digits(value / 1000 ** power)} ${PREFIXES[power]}`;
}

/** Bytes with a binary prefix: `3.2 GiB`. */
export function bytes(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const size = Math.abs(value);
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), BINARY.length - 1);
  return `${digits(value / 1024 ** power)} ${BINARY[power]}`;
}

/** A whole number with thousands set apart. */
export function count(value: Maybe): string {
  return value === null || value === undefined ? ABSENT : Math.round(value).toLocaleString('en');
}

/** A duration in its two largest units: `2 h 5 min`. */
export function duration(seconds: Maybe): string {
  if (seconds === null || seconds === undefined) return ABSENT;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(Math.max(first, 0), Math.max(first, 0) + 2)
    .filter(([amount], index) => amount > 0 || index === 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** A point in time, in the zone of whoever looks: `2026-11-26 14:05:00`. */
export function time(seconds: Maybe): string {
  if (seconds === null || seconds === undefined || seconds === 0) return ABSENT;
  const at = new Date(seconds * 1000);
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** How long ago: `3 min ago`. */
export function ago(seconds: Maybe, nowSec = Date.now() / 1000): string {
  if (seconds === null || seconds === undefined || seconds === 0) return ABSENT;
  return `${duration(Math.max(0, nowSec - seconds))} ago`;
}

/** Three digits at least, and no more behind the point than they need. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 100 && size < 1e6)) return String(Math.round(value));
  if (size >= 1e6 || size < 0.001) return value.toPrecision(3);
  return String(Number(value.toPrecision(3)));
}
