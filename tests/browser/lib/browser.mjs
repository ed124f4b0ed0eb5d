// A browser whose pages are watched: what no page of ours may ever do fails the story, whatever else it looks at.

import { existsSync } from 'node:fs';
import { chromium } from './modules.mjs';

const DESKTOP = { width: 1280, height: 800 };

/** The width that phones have, and the least that pages promise to fit into. */
export const PHONE = { width: 360, height: 740 };
export const NARROWEST = { width: 320, height: 640 };

/** How long one page, or one thing on it, may take: the machine may be busy. */
export const PATIENCE = 30_000;

function program() {
  const given = process.env.PORTOLAN_TEST_CHROMIUM;
  const found = [given, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (one) => one && existsSync(one),
  );
  if (!found) throw new Error('there is no chromium');
  return found;
}

export class Browser {
  #browser;
  #contexts = [];
  /** What pages did that none may do, from all windows. */
  faults = [];

  static async open(stage) {
    const browser = new Browser();
    browser.url = stage.url;
    browser.#browser = await chromium.launch({
      executablePath: program(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run'],
      timeout: PATIENCE * 2,
    });
    return browser;
  }

  /** A window of somebody who shares nothing with the others; `page` is watched. */
  async window({ language = 'en-US', scheme = 'light', size = DESKTOP, script = true, grants = [] } = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.url,
      locale: language,
      colorScheme: scheme,
      viewport: size,
      javaScriptEnabled: script,
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      ignoreHTTPSErrors: true,
    });
    context.setDefaultTimeout(PATIENCE);
    if (grants.length > 0) await context.grantPermissions(grants, { origin: this.url });
    await context.addInitScript(measure);
    this.#contexts.push(context);
    const page = await context.newPage();
    await this.#watch(page);
    return page;
  }

  /** Fails when any page did what none may do since this was asked last. */
  blameless() {
    const faults = this.faults.splice(0);
    if (faults.length > 0) throw new Error(`pages did what none may do:\n  ${[...new Set(faults)].join('\n  ')}`);
  }

  async close() {
    await this.#browser.close();
  }

  /** What the open pages show, for somebody who has to find out why a story failed. */
  async describe() {
    const texts = [];
    for (const page of this.#contexts.flatMap((context) => context.pages())) {
      const text = await page.locator('body').innerText({ timeout: 2000 }).catch((error) => String(error));
      texts.push(`--- ${page.url()} ---\n${text.slice(0, 4000)}`);
      const shots = process.env.PORTOLAN_BROWSER_SHOTS;
      if (shots) await page.screenshot({ path: `${shots}/failed-${texts.length}.png`, fullPage: true }).catch(() => {});
    }
    return texts.join('\n');
  }

  async #watch(page) {
    const fault = (text) => this.faults.push(`${page.url()}: ${text}`);
    page.on('pageerror', (error) => fault(`an exception: ${error.message}`));
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      // An address that answers 404 on purpose is told by the story; so are refused forms.
      const isAnswer = /the server responded with a status of 4\d\d/.test(message.text());
      if (isAnswer && sameAddress(message.location().url, page.url())) return;
      fault(`says in the console: ${message.text()} (${message.location().url})`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.origin !== new URL(this.url).origin) {
        fault(`asks a foreign host: ${request.url()}`);
      }
    });
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? '';
      // What a person leaves is not loaded to its end, and a download is no page.
      if (!why.includes('ERR_ABORTED')) fault(`could not load ${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 500) fault(`${response.status()} for ${response.request().method()} ${response.url()}`);
    });
  }
}

/** Runs in each page before anything of its own: tells violations of the policy, and adds up what moved by itself. */
function measure() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
  window.portolanShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.portolanShift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}

function sameAddress(one, other) {
  return one.split('#')[0] === other.split('#')[0];
}
