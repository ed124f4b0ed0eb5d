// A square in the calendar of a repository's activity says what happened on its day once it is pointed at; whoever has no
// script reads the same of the week in the table below.

import { Registry, image, layer } from '../lib/image.mjs';
import { openUntil, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const ADA = { name: 'ada', password: 'correct horse of ada' };
const SQUARE = 'svg.calendar[data-told] g rect';

export default async function calendar(stage, browser) {
  await stage.api(stage.admin, 'POST', '/accounts', ADA);
  const days = [new Date()];
  await new Registry(stage.url, ADA).push('ada/app', image([layer('app', 1024, 'COPY app /app')]), '1');
  days.push(new Date());
  for (const [language, words] of [['en', ': 0 pulled, 1 pushed'], ['zh-CN', '：拉取 0 次，推送 1 次']]) {
    const page = await browser.window({ language });
    await signIn(page, ADA);
    await openUntil(page, '/r/ada/app/-/activity', SQUARE);
    const square = page.locator(SQUARE).last();
    ensure((await square.locator('title').count()) === 0, 'each square has a title at once');
    await square.hover();
    const said = await square.locator('title').textContent();
    const expected = days.map((day) => `${day.toLocaleDateString(language, { dateStyle: 'medium', timeZone: 'UTC' })}${words}`);
    ensure(expected.includes(said), `the square says “${said}” and not “${expected[0]}”`);
    await page.locator('h1').hover();
    await square.hover();
    ensure((await square.locator('title').count()) === 1, 'it says so twice');
  }
  const plain = await browser.window({ script: false });
  await signIn(plain, ADA);
  await plain.goto('/r/ada/app/-/activity');
  await plain.locator('details.as-table summary').first().click();
  const row = await plain.locator('details.as-table tbody tr').first().innerText();
  ensure(/\b0\s+1$/.test(row), `the table says “${row}”`);
}
