import { authPart } from '../auth/auth-part.js';
import type { Callers } from '../auth/callers.js';
import type { Config, Limits } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { AuditGate } from './audit-gate.js';
import { AuthGate } from './auth-gate.js';
import { CertificateGate } from './certificate-gate.js';
import type { Gate } from './gate.js';
import { OriginGate } from './origin-gate.js';
import type { ProgramPart } from './program-part.js';
import { RateGate } from './rate-gate.js';

export interface GatesOptions {
  readonly callers: Callers;
  readonly limits: Limits;
  readonly log: Logger;
  /** As it is now: it may change. */
  readonly config: () => Config;
}

/** All gates in their order, as one, and what they have to tell. */
export function makeGates({ callers, limits, log, config }: GatesOptions): {
  readonly gate: Gate;
  readonly parts: readonly ProgramPart[];
} {
  const authGate = new AuthGate(callers, limits);
  const certificateGate = new CertificateGate(authGate, callers, config);
  const rateGate = new RateGate(certificateGate, limits);
  const originGate = new OriginGate(rateGate, callers, config);
  const gate = new AuditGate(originGate, log);
  return { gate, parts: [authPart(callers), rateGate, originGate] };
}
