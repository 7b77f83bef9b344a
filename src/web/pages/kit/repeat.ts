/**
 * Does something now, and again each `seconds` while the page is seen, until the signal is aborted: what
 * nobody looks at asks nothing. One is over before the next begins.
 */
export function repeat(seconds: number, work: () => Promise<void>, signal: AbortSignal): void {
  let timer = 0;
  let isWorking = false;
  const turn = async (): Promise<void> => {
    window.clearTimeout(timer);
    if (signal.aborted || document.hidden || isWorking) return;
    isWorking = true;
    try {
      await work();
    } finally {
      isWorking = false;
    }
    if (!signal.aborted) timer = window.setTimeout(again, seconds * 1000);
  };
  const again = (): void => void turn();
  document.addEventListener('visibilitychange', again, { signal });
  signal.addEventListener('abort', () => window.clearTimeout(timer));
  again();
}
