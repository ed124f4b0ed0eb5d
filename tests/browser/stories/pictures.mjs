// A picture of each page × language × light or dark × phone or desktop, for people to look at.

import { PHONE } from '../lib/browser.mjs';
import { build } from '../lib/scene.mjs';
import { pages, who } from '../lib/pages.mjs';
import { signIn } from '../lib/steps.mjs';

const SIZES = { phone: PHONE, desktop: { width: 1280, height: 800 } };

export default async function pictures(stage, browser) {
  const list = pages(await build(stage), stage.only);
  let count = 0;
  for (const language of ['en', 'zh-CN']) {
    for (const scheme of ['light', 'dark']) {
      for (const [device, size] of Object.entries(SIZES)) {
        const readers = new Map();
        for (const [title, by, address] of list) {
          if (!readers.has(by)) {
            const page = await browser.window({ language, scheme, size });
            if (by) await signIn(page, who(stage, by));
            readers.set(by, page);
          }
          const page = readers.get(by);
          await page.goto(address, { waitUntil: 'load' });
          await page.screenshot({ path: `${stage.pictures}/${title}.${language.slice(0, 2)}.${scheme}.${device}.png`, fullPage: true });
          count += 1;
        }
        for (const page of readers.values()) await page.context().close();
      }
    }
  }
  stage.say(`${count} pictures in ${stage.pictures}`);
}
