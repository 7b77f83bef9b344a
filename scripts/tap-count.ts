/** What a test file's TAP output says. */
export interface TapCount {
  readonly passed: number;
  readonly failed: number;
  /** The top-level plan (`1..N`) was seen: the file came to its end. */
  readonly complete: boolean;
  /** Failed assertions with the diagnostics that follow them. */
  readonly failures: readonly string[];
}

const POINT = /^( *)(not ok|ok)\b(.*)$/;
const PLAN = /^( *)1\.\.\d+/;
const BAIL = /^ *Bail out!/;
const SKIP_OR_TODO = /# *(skip|todo)\b/i;
const INDENT = 4;

/**
 * Counts the assertions of TAP 14 text. The point that closes a subtest repeats what its
 * assertions said, so it counts only when it failed and none of them did. Skipped points count
 * neither way.
 */
export function countTap(text: string): TapCount {
  const counter = new TapCounter();
  for (const line of text.split(/\r?\n/)) counter.take(line);
  return counter;
}

class TapCounter implements TapCount {
  passed = 0;
  failed = 0;
  complete = false;
  readonly failures: string[] = [];
  /** By depth: failures in the subtest that the next point of that depth closes. */
  readonly #failedBelow = new Map<number, number>();
  #diagnostics: 'none' | 'may-follow' | 'inside' = 'none';
  #lastPointFailed = false;

  take(line: string): void {
    if (this.#takeDiagnostics(line)) return;
    const plan = PLAN.exec(line);
    if (plan !== null) return this.#takePlan(plan[1].length / INDENT);
    const point = POINT.exec(line);
    if (point !== null) this.#takePoint(line, point);
    else if (BAIL.test(line)) this.#fail(line);
  }

  /** A YAML block after a point may hold lines that look like points. */
  #takeDiagnostics(line: string): boolean {
    if (this.#diagnostics === 'may-follow') {
      this.#diagnostics = /^ *---\s*$/.test(line) ? 'inside' : 'none';
    } else if (this.#diagnostics === 'inside' && /^ *\.\.\.\s*$/.test(line)) {
      this.#diagnostics = 'none';
      return true;
    }
    if (this.#diagnostics !== 'inside') return false;
    if (this.#lastPointFailed) this.failures[this.failures.length - 1] += `\n${line}`;
    return true;
  }

  #takePlan(depth: number): void {
    if (depth === 0) this.complete = true;
    else if (!this.#failedBelow.has(depth - 1)) this.#failedBelow.set(depth - 1, 0);
  }

  #takePoint(line: string, [, indent, verdict, rest]: RegExpExecArray): void {
    const depth = indent.length / INDENT;
    const failedBelow = this.#failedBelow.get(depth);
    this.#failedBelow.delete(depth);
    this.#diagnostics = 'may-follow';
    this.#lastPointFailed = false;
    if (SKIP_OR_TODO.test(rest)) return;
    if (verdict === 'ok') {
      if (failedBelow === undefined) this.passed++;
      return;
    }
    if (failedBelow === undefined || failedBelow === 0) this.#fail(line);
    for (let parent = depth - 1; parent >= 0; parent--) {
      this.#failedBelow.set(parent, (this.#failedBelow.get(parent) ?? 0) + 1);
    }
  }

  #fail(line: string): void {
    this.failed++;
    this.failures.push(line);
    this.#lastPointFailed = true;
  }
}
