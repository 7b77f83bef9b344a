/** Files as cc-metric-store writes them; the generator writes them, too. */
export * from '../../scripts/generator/reference-files.js';
