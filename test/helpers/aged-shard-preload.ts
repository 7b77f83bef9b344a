// Loaded into a store before its own code, in each of its threads: all shards have aged memory.
import { createAgedMemory } from './aged-shard.js';

const { Memory } = WebAssembly;
let isOurs = false;

WebAssembly.Memory = new Proxy(Memory, {
  construct(target, [descriptor]: [WebAssembly.MemoryDescriptor]) {
    if (isOurs || !descriptor.shared) return new target(descriptor);
    isOurs = true;
    try {
      return createAgedMemory(Number(process.env['TEST_HEAP_BASE']));
    } finally {
      isOurs = false;
    }
  },
});
