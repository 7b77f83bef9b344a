import { WINDOW_SLOTS } from '../kernel/layout.js';

/** At which slot of a window the series of a host seal: another one for each host, since all at once would be felt. */
export class Staggers {
  /** A host's series come together: mostly it is the last one's. */
  #last = { cluster: '', host: '', stagger: 0 };

  /** A number below WINDOW_SLOTS. */
  of(cluster: string, host: string): number {
    const last = this.#last;
    if (last.cluster === cluster && last.host === host) return last.stagger;
    this.#last = { cluster, host, stagger: hashStagger(cluster, host) };
    return this.#last.stagger;
  }
}

/** A number of a host below WINDOW_SLOTS. */
function hashStagger(cluster: string, host: string): number {
  let hash = 0;
  for (const text of [cluster, host]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 8) % WINDOW_SLOTS;
}
