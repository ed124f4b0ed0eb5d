// Somebody without a mouse signs in, finds a repository, stars it and signs out; each thing that has the focus shows it.

import { build, people } from '../lib/scene.mjs';
import { ensure } from '../lib/stage.mjs';

/** More steps than any page of ours has things to reach. */
const MOST = 150;

export default async function keyboard(stage, browser) {
  await build(stage);
  const page = await browser.window();
  await page.goto('/');
  // The first thing is the way past the header.
  await page.keyboard.press('Tab');
  ensure(await page.evaluate(() => document.activeElement.matches('a[href^="#"]')), 'the first stop is no way past the header');
  await page.keyboard.press('Enter');
  ensure(new URL(page.url()).hash !== '', 'the way past the header leads nowhere');

  await page.goto('/');
  await reach(page, 'a[href^="/sign-in"]');
  await go(page, 'Enter');
  await reach(page, 'main input[name=username]');
  await page.keyboard.type(people.grace.name);
  await reach(page, 'main input[type=password]');
  await page.keyboard.type(people.grace.password);
  await go(page, 'Enter');
  ensure(!page.url().includes('sign-in'), `signing in ends at ${page.url()}`);

  await reach(page, 'input[type=search], input[name=q]');
  await page.keyboard.type('alpine');
  await go(page, 'Enter');
  ensure(page.url().includes('/search?'), `the search leads to ${page.url()}`);
  await reach(page, 'main a[href="/_/alpine"], main a[href="/r/library/alpine"]');
  await go(page, 'Enter');

  const star = 'main form[action*="star"] button';
  await reach(page, star);
  const before = await page.locator(star).first().innerText();
  await go(page, 'Enter');
  const after = await page.locator(star).first().innerText();
  ensure(before !== after, `the star says “${before}” before and after`);

  await reach(page, 'form[action="/sign-out"] button, summary');
  if (await page.evaluate(() => document.activeElement.matches('summary'))) {
    await page.keyboard.press('Enter');
    await reach(page, 'form[action="/sign-out"] button');
  }
  await go(page, 'Enter');
  ensure((await page.locator('a[href^="/sign-in"]').count()) > 0, 'nobody is signed out');

  await stops(page, '/search?q=shop');
}

/** Presses Tab until something has the focus, and looks at each stop on the way. */
async function reach(page, selector) {
  for (let step = 0; step < MOST; step += 1) {
    await page.keyboard.press('Tab');
    await seen(page);
    if (await page.evaluate((text) => document.activeElement.matches(text), selector)) return;
  }
  throw new Error(`${selector} can not be reached by the keyboard on ${page.url()}`);
}

/** Presses a key that leads to another page. */
async function go(page, key) {
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}

/** What has the focus is in sight, and looks otherwise than without it. */
async function seen(page) {
  const fault = await page.evaluate(() => {
    const one = document.activeElement;
    if (one === document.body) return null;
    const style = getComputedStyle(one);
    const hasRing = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    const box = one.getBoundingClientRect();
    const isThere = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return hasRing && isThere ? null : `${one.outerHTML.slice(0, 200)} (ring: ${hasRing}, in sight: ${isThere})`;
  });
  ensure(fault === null, `who has only a keyboard does not see where: ${fault} on ${page.url()}`);
}

/** Tab goes round a whole page without being caught. */
async function stops(page, address) {
  await page.goto(address);
  const reachable = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled).length);
  const met = new Set();
  for (let step = 0; step < reachable + 5; step += 1) {
    await page.keyboard.press('Tab');
    await seen(page);
    met.add(await page.evaluate(() => [...document.querySelectorAll('*')].indexOf(document.activeElement)));
  }
  // The body itself is one of the stops.
  ensure(met.size >= reachable, `Tab meets ${met.size} of ${reachable} on ${address}`);
}
