/** All that checkpoints write; a file that was merged has an m for each time. */
export const FILE = /^(series|blocks)-\d{8,}m*(\.new)?$/;
export const UNFINISHED_FILE = /^(series|blocks)-\d{8,}m*\.new$/;

/** `series-00000012`: the state of all series at checkpoint 12. */
export function seriesFileOf(checkpoint: number): string {
  return `series-${padded(checkpoint)}`;
}

/** `blocks-00000012`: complete blocks that checkpoint 12 was the first to have. */
export function blocksFileOf(checkpoint: number): string {
  return `blocks-${padded(checkpoint)}`;
}

function padded(checkpoint: number): string {
  return String(checkpoint).padStart(8, '0');
}
