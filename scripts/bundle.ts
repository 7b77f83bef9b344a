import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

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

/** Packages of many small files that every start waits for; the others are loaded from where npm has put them. */
const INLINED = ['pino', 'piscina'];
/** Below the target: where inlined packages take themselves to be, with what Piscina begins a thread with. */
const PACKAGES = 'packages';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  dependencies: Record<string, string>;
};
const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
};

rmSync(TARGET, { recursive: true, force: true });
for (const entry of ENTRIES) {
  await build({
    ...COMMON,
    entryPoints: [entry],
    outdir: TARGET,
    external: Object.keys(dependencies).filter((name) => !INLINED.includes(name)),
    // What is loaded on demand stays in files of its own, named by what is in them.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    define: { IS_BUNDLED: 'true', __dirname: 'packagesFolder' },
    // The inlined ones are CommonJS, which modules have neither of.
    banner: {
      js: [
        `import { createRequire as makeRequire } from 'node:module';`,
        `import { fileURLToPath as pathOfUrl } from 'node:url';`,
        `const require = makeRequire(import.meta.url);`,
        `const packagesFolder = pathOfUrl(new URL('${PACKAGES}', import.meta.url));`,
      ].join('\n'),
    },
  });
}
await build({
  ...COMMON,
  entryPoints: ['node_modules/piscina/dist/worker.js'],
  outdir: join(TARGET, PACKAGES),
  external: ['@napi-rs/nice'],
  format: 'cjs',
});
writeFileSync(join(TARGET, PACKAGES, 'package.json'), '{ "type": "commonjs" }\n');
