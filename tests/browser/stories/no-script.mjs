// Without script everything works but what is alive: signing in, searching, starring, colours, a token, a webhook.

import { build } from '../lib/scene.mjs';
import { pages, who } from '../lib/pages.mjs';
import { open, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

export default async function without(stage, browser) {
  const scene = await build(stage);
  const readers = new Map();
  const empty = [];
  for (const [title, by, address] of pages(scene, stage.only)) {
    if (!readers.has(by)) {
      const page = await browser.window({ script: false });
      if (by) await signIn(page, who(stage, by));
      readers.set(by, page);
    }
    const page = readers.get(by);
    await open(page, address, title === 'not-found' ? 404 : 200);
    const text = await page.locator('main').innerText();
    if (text.trim().length < 20) empty.push(title);
  }
  ensure(empty.length === 0, `without script nothing stands on ${empty.join(', ')}`);

  const page = readers.get('ada');
  await page.goto('/r/library/alpine');
  const star = page.locator('main form[action*="star"] button').first();
  const before = await star.innerText();
  await star.click();
  await page.waitForLoadState();
  ensure((await page.locator('main form[action*="star"] button').first().innerText()) !== before, 'the star can not be given');
}
