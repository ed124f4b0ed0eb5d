// Whoever reads Chinese: pages are in the language of the browser, things are found by two characters and by the first
// letters of pinyin, and another language is chosen once.

import { build } from '../lib/scene.mjs';
import { open } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const FOUND = 'main a[href="/r/xiaoming/jingxiang"]';

export default async function chinese(stage, browser) {
  await build(stage);
  const page = await browser.window({ language: 'zh-CN' });
  await page.goto('/');
  ensure((await page.locator('html').getAttribute('lang')) === 'zh-CN', 'the first page is not Chinese');
  for (const words of ['镜像仓库', '初学', 'jxck']) {
    await page.goto('/');
    await page.locator('main input[name=q]').fill(words);
    await page.locator('main input[name=q]').press('Enter');
    await page.locator(FOUND).first().waitFor();
    ensure(/\p{Script=Han}/u.test(await page.locator('h1').innerText()), 'the title is not Chinese');
  }
  await open(page, `/search?q=${encodeURIComponent('不存在的词语')}`);
  ensure((await page.locator(FOUND).count()) === 0, 'what nobody wrote is found');
  await page.goto('/r/xiaoming/jingxiang');
  ensure((await page.locator('main').innerText()).includes('用于演示'), 'the description is not shown');

  // Latin words among Chinese ones are names, units and commands; of English sentences there is none.
  const english = (await page.locator('main').innerText()).match(/\b(the|and|with|your|this|has|from)\b/gi);
  ensure(english === null, `there is English left: ${english}`);

  // Another language by the switch, remembered on the next page.
  await page.goto('/');
  await page.locator('form[action="/preferences"] [name=language][value=en], form[action="/preferences"] button[value=en]').first().click();
  await page.waitForLoadState();
  await page.goto('/search?q=shop');
  ensure((await page.locator('html').getAttribute('lang')) === 'en', 'the choice is forgotten');
}
