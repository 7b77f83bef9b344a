import { below, mix } from './hash.js';

/** How busy a node is, in thousandths. One object is filled again and again. */
export interface Load {
  cpu: number;
  memory: number;
  io: number;
  accelerator: number;
  /** How far the job is. */
  progress: number;
  /** Its hash; 0 = the node is idle. */
  job: number;
}

export function newLoad(): Load {
  return { cpu: 0, memory: 0, io: 0, accelerator: 0, progress: 0, job: 0 };
}

/** What an idle node's daemons need. */
const IDLE = { cpu: 12, memory: 60, io: 3, accelerator: 0 };
const PERIOD_SEC_MIN = 1500;
const PERIOD_SEC_SPREAD = 12_000;
/** Of 16 periods, these are without a job. */
const IDLE_OF_16 = 2;
/** A job takes so many thousandths of its period at least; then the nodes wait for the next one. */
const SHARE_MIN = 700;
const RAMP_SEC = 180;

/** Kinds of jobs: bound by cores, by memory, by input and output, with accelerators. */
const KINDS = [
  { cpu: 950, memory: 300, io: 40, accelerator: 0 },
  { cpu: 900, memory: 850, io: 60, accelerator: 0 },
  { cpu: 450, memory: 500, io: 900, accelerator: 100 },
  { cpu: 250, memory: 400, io: 150, accelerator: 950 },
] as const;

/**
 * The load of the nodes of a group at a second: plateaus of one job after the other, with a ramp at
 * the beginning and a wave for the iterations. It follows from the time alone, so that what is made
 * up of a time does not depend on where one began.
 */
export function loadAt(seed: number, group: number, timeSec: number, load: Load): void {
  const own = mix(seed, group, 0x10b);
  const periodSec = PERIOD_SEC_MIN + below(own, PERIOD_SEC_SPREAD);
  const shifted = timeSec + below(mix(own, 1), periodSec);
  const number = Math.floor(shifted / periodSec);
  const job = mix(own, number, 0x70b);
  const inPeriodSec = shifted - number * periodSec;
  const jobSec = Math.floor(
    (periodSec * (SHARE_MIN + below(mix(job, 2), 1000 - SHARE_MIN))) / 1000,
  );
  if ((job & 15) < IDLE_OF_16 || inPeriodSec >= jobSec) {
    Object.assign(load, IDLE);
    load.progress = 0;
    load.job = 0;
    return;
  }
  const kind = KINDS[(job >>> 8) & 3]!;
  const ramp = inPeriodSec < RAMP_SEC ? 200 + Math.floor((800 * inPeriodSec) / RAMP_SEC) : 1000;
  const level = ramp * (1000 - waveAt(job, inPeriodSec));
  load.cpu = Math.floor((kind.cpu * level) / 1_000_000);
  load.memory = Math.floor((kind.memory * level) / 1_000_000);
  load.io = Math.floor((kind.io * level) / 1_000_000);
  load.accelerator = Math.floor((kind.accelerator * level) / 1_000_000);
  load.progress = Math.floor((1000 * inPeriodSec) / jobSec);
  load.job = job || 1;
}

/** A wave of parabolas, in thousandths that are taken away: up to a fifth. */
function waveAt(job: number, timeSec: number): number {
  const waveSec = 120 + ((job >>> 12) & 1023);
  const depth = (job >>> 22) % 200;
  const phase = ((timeSec % waveSec) * 2000) / waveSec;
  // 0 … 1000 … 0 over half a wave, and as deep below in the other: as a sine, without one.
  const half = phase < 1000 ? phase : phase - 1000;
  const arch = (half * (1000 - half)) / 250;
  const signed = phase < 1000 ? arch : -arch;
  return Math.floor((depth * (1000 + signed)) / 2000);
}
