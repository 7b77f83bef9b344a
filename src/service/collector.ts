import { setFlagsFromString } from 'node:v8';

/**
 * Node has its own modules compiled, but only takes them while all flags of V8 are as they were when Node was built:
 * else each thread compiles them anew, 20 ms for ours. The size of this thread's new space, which is given when Node
 * starts, is settled by now, so its flag can be as it was.
 */
setFlagsFromString('--max-semi-space-size=0');

/** New spaces of other threads, three semi-spaces: as large as the start command has them in this one. */
export const YOUNG_GENERATION_MB = 6;

/**
 * How V8 collects garbage, for all threads, once they have loaded what they need. They keep few objects and make many
 * that live for a request. What V8 does by itself let 25 MB of garbage lie beside 10 MB of objects in the
 * front: it lets the heap double before it looks at old objects, and it takes objects for old which outlived the
 * first minute, when requests were slow because all series were new.
 */
export function collectSooner(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--heap-growing-percent=30');
}
