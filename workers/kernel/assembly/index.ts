// The kernel's exports, by subject. Memory layout: ../layout.ts.
export { kernelVersion } from './version';
