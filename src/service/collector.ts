import { setFlagsFromString } from 'node:v8';

/**
 * How V8 collects garbage, for all threads; imported before all else. Threads keep few objects and make many that
 * live for a request. What V8 does by itself let 25 MB of garbage lie beside 10 MB of objects in the
 * front: it lets the heap double before it looks at old objects, and it takes objects for old which outlived the
 * first minute, when requests were slow because all series were new.
 */
setFlagsFromString('--no-allocation-site-pretenuring');
setFlagsFromString('--heap-growing-percent=30');
