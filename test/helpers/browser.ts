import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Where Debian has it; no test downloads a browser. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];
/** Without these Chromium looks for its maker's servers, which no test should. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page under watch. */
export interface WatchedPage {
  readonly page: Page;
  /** What a good page has none of: console errors, uncaught errors, violations of the policy, requests elsewhere. */
  readonly faults: readonly string[];
  /** Leaves out of the faults what a test causes on purpose. */
  expectFaults(pattern: RegExp): void;
}

export interface TestBrowser {
  /** A page in a context of its own: no credentials or storage are shared. */
  open(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  close(): Promise<void>;
}

/** Starts Debian's Chromium without a window. */
export async function startBrowser(): Promise<TestBrowser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error('there is no Chromium; install it with: apt-get install chromium');
  }
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    open: async (url, options = {}) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        ...options,
      });
      const page = await context.newPage();
      const faults: string[] = [];
      const expected: RegExp[] = [];
      const note = (fault: string): void => {
        if (!expected.some((pattern) => pattern.test(fault))) faults.push(fault);
      };
      // Violations of the policy are console errors as well.
      page.on('console', (message) => {
        if (message.type() === 'error') note(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => note(`uncaught: ${error.message}`));
      page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url());
        if (protocol.startsWith('http') && origin !== new URL(url).origin) {
          note(`request elsewhere: ${request.url()}`);
        }
      });
      await page.goto(url);
      return { page, faults, expectFaults: (pattern) => void expected.push(pattern) };
    },
    close: () => browser.close(),
  };
}
