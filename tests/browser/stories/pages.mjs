// Each page, in two dresses: light on a desktop in English, dark on a phone in Chinese. axe-core finds nothing; nothing
// moves while it loads; it is light; a phone needs no scrolling sideways; the page says which language it is in.

import { axe } from '../lib/modules.mjs';
import { NARROWEST, PHONE } from '../lib/browser.mjs';
import { build } from '../lib/scene.mjs';
import { pages, who } from '../lib/pages.mjs';
import { signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

/** Most bytes of a page with its style, script and pictures, for whoever was never here. */
const MOST_BYTES = 60 * 1024;

/** More than nothing, since browsers round; what counts as good elsewhere is 0.1. */
const MOST_SHIFT = 0.001;

const DRESSES = [
  { language: 'en-US', scheme: 'light', expected: 'en' },
  { language: 'zh-CN', scheme: 'dark', size: PHONE, expected: 'zh-CN' },
];

export default async function every(stage, browser) {
  const list = pages(await build(stage), stage.only);
  const faults = [];
  const heaviest = { bytes: 0 };
  for (const dress of DRESSES) {
    const readers = new Map();
    for (const name of new Set(list.map(([, by]) => by))) {
      const page = await browser.window(dress);
      if (name) await signIn(page, who(stage, name));
      readers.set(name, { page, weight: await Weight.of(page) });
    }
    for (const [title, by, address] of list) {
      const { page, weight } = readers.get(by);
      const fault = (text) => faults.push(`${title} (${dress.expected}, ${dress.scheme}): ${text}`);
      weight.bytes = 0;
      const answer = await page.goto(address, { waitUntil: 'load' });
      if (answer.status() !== (title === 'not-found' ? 404 : 200)) fault(`${address} is answered with ${answer.status()}`);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      if (weight.bytes > heaviest.bytes) Object.assign(heaviest, { bytes: weight.bytes, title });
      if (weight.bytes > MOST_BYTES) fault(`${weight.bytes} bytes: ${weight.list.join(', ')}`);
      weight.list = [];
      for (const text of await faultsOf(page, dress)) fault(text);
    }
    for (const { page } of readers.values()) await page.context().close();
  }
  stage.say(`${list.length} pages; the heaviest is ${heaviest.title} with ${heaviest.bytes} bytes`);
  ensure(faults.length === 0, `${faults.length} faults:\n${faults.join('\n')}`);
}

async function faultsOf(page, dress) {
  const faults = [];
  const shift = await page.evaluate(() => window.portolanShift);
  if (shift > MOST_SHIFT) faults.push(`it moved by ${shift} while it was loaded`);
  const language = await page.evaluate(() => document.documentElement.lang);
  if (language !== dress.expected) faults.push(`its language is ${language}`);
  if ((await page.locator('h1').count()) !== 1) faults.push(`it has ${await page.locator('h1').count()} h1`);
  if (dress.size) {
    for (const size of [dress.size, NARROWEST]) {
      await page.setViewportSize(size);
      const wide = await page.evaluate(tooWide);
      if (wide.length > 0) faults.push(`at ${size.width} pixels it is too wide: ${wide.join(', ')}`);
    }
    await page.setViewportSize(dress.size);
  }
  faults.push(...(await accessibility(page)));
  return faults;
}

/** What stands beyond the right edge of the window, if the page can be scrolled there. */
function tooWide() {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const outside = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > room + 0.5);
  const name = (one) => `${one.tagName.toLowerCase()}${one.className ? `.${String(one.className).split(' ').join('.')}` : ''}`;
  return [`${document.documentElement.scrollWidth} of ${room}`, ...outside.slice(0, 4).map(name)];
}

async function accessibility(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { rules: { 'target-size': { enabled: true } } }));
  return violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary.split('\n')[1] ?? ''}`).join(' | ')}`);
}

/** Counts the bytes that a page transfers, as if nothing of it were in the cache. */
class Weight {
  bytes = 0;
  list = [];

  static async of(page) {
    const weight = new Weight();
    const session = await page.context().newCDPSession(page);
    const names = new Map();
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    session.on('Network.requestWillBeSent', ({ requestId, request }) => names.set(requestId, request.url));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      weight.bytes += encodedDataLength;
      weight.list.push(`${names.get(requestId)} ${encodedDataLength}`);
    });
    return weight;
  }
}
