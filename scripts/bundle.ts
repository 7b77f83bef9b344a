import { rmSync } from 'node:fs';
import { build } from 'esbuild';

/*
 * A step of the build: puts the compiled modules of the program into few files, in `dist/program`. Node takes half
 * a millisecond to load a module, and front and shard have 500: they cost a start 0.07 s and 1.2 MB.
 */
const TARGET = 'dist/program';

/** The program, and its worker threads: what one of them loads is no other's, so each is bundled for itself. */
const ENTRIES = [
  'dist/src/main.js',
  'dist/workers/shard.js',
  'dist/workers/archive-thread.js',
  'dist/workers/mirror/mirror.js',
];

rmSync(TARGET, { recursive: true, force: true });
for (const entry of ENTRIES) {
  await build({
    entryPoints: [entry],
    outdir: TARGET,
    bundle: true,
    // What is loaded on demand stays in files of its own, named by what is in them.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    define: { IS_BUNDLED: 'true' },
    logLevel: 'warning',
  });
}
