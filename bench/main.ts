import { benchStore } from './store.js';

/** The parts by name; each reads the flags behind its name, and sets the exit code. */
const PARTS: Record<string, () => Promise<(argv: string[]) => Promise<void>>> = {
  compare: async () => (await import('./compare/compare.js')).compareStores,
  scaling: async () => (await import('./scaling/scaling.js')).studyScaling,
};

const [name = '', ...rest] = process.argv.slice(2);
if (name === '' || name.startsWith('-')) await benchStore(process.argv.slice(2));
else if (Object.hasOwn(PARTS, name)) await (await PARTS[name]!())(rest);
else {
  console.error(`bench: no part ${name}; there are ${Object.keys(PARTS).join(', ')}`);
  process.exitCode = 2;
}
