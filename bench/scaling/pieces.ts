import type { RoundPieces } from '../load.js';
import { stampBatch, type Batch } from '../workload.js';
import { linesPerHost, makeHosts, type Shape } from './workload.js';

/** A timestamp and the end of its line. */
const LINE_END_BYTES = 11;

/**
 * The hosts' lines in requests of `batchLines`: a host's one after the other, or several hosts in one.
 * The numbers are those of whole hosts, however they are cut. Requests are copies: 0.1 ns a byte.
 */
export function shapedPieces(shape: Shape, seed: number): RoundPieces {
  const hosts = makeHosts(shape);
  const hostLines = linesPerHost(shape);
  const { batchLines } = shape;
  if (hostLines % batchLines !== 0 && batchLines % hostLines !== 0) {
    throw new Error(`${batchLines} lines a request: neither a part nor a multiple of ${hostLines}`);
  }
  if (batchLines >= hostLines) {
    const group = batchLines / hostLines;
    return {
      count: Math.ceil(hosts.length / group),
      make: (piece, round, timeSec) => {
        const members = hosts.slice(piece * group, (piece + 1) * group);
        for (const host of members) stampBatch(host, round, timeSec, seed);
        const bytes = withHead(members.map(({ body }) => body));
        return { bytes, lineCount: members.length * hostLines };
      },
    };
  }
  const parts = hostLines / batchLines;
  const bounds = boundsOf(hosts[0]!, batchLines);
  return {
    count: hosts.length * parts,
    make: (piece, round, timeSec) => {
      const host = hosts[Math.floor(piece / parts)]!;
      const part = piece % parts;
      if (part === 0) stampBatch(host, round, timeSec, seed);
      const bytes = withHead([host.body.subarray(bounds[part], bounds[part + 1])]);
      return { bytes, lineCount: batchLines };
    },
  };
}

/** Where in a host's body each part begins, and the last one ends. */
function boundsOf({ body, request, stampAt, lineCount }: Batch, batchLines: number): number[] {
  const headBytes = request.length - body.length;
  const bounds = [0];
  for (let line = batchLines - 1; line < lineCount; line += batchLines) {
    bounds.push(stampAt[line]! + LINE_END_BYTES - headBytes);
  }
  return bounds;
}

function withHead(bodies: readonly Buffer[]): Buffer {
  const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
  const head =
    `POST /api/write HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n` +
    `Content-Length: ${bytes}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), ...bodies]);
}
