// Linus has forgotten his password. An administrator makes a link on a page and hands it over; with it he sets another,
// once; the old one and what was signed in with it are over.

import { build, people } from '../lib/scene.mjs';
import { open, send, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const NEW = 'correct horse remembered at last';

export default async function password(stage, browser) {
  await build(stage);
  const { linus } = people;
  const elsewhere = await browser.window();
  await signIn(elsewhere, linus);

  const office = await browser.window();
  await signIn(office, stage.admin);
  await open(office, `/admin/accounts/${linus.name}`);
  await send(office, 'main form[action$="/reset"]');
  const shown = await office.locator('main').innerText();
  const link = (shown.match(/https?:\/\/\S+\/reset-password#\S+/) ?? [])[0] ?? (await office.locator('main input[value*="/reset-password#"]').getAttribute('value'));
  await open(office, '/admin/accounts');
  ensure(!(await office.content()).includes(link.split('#')[1]), 'the link is shown twice');

  const home = await browser.window();
  await set(home, link, NEW);
  ensure((await home.locator('[role=status]').count()) > 0, `the password is not set: ${await home.locator('main').innerText()}`);
  await signIn(home, { name: linus.name, password: NEW });
  await open(elsewhere, '/account');
  ensure(elsewhere.url().includes('/sign-in'), 'who was signed in with the old password still is');
  const late = await browser.window();
  await late.goto('/sign-in');
  await send(late, 'main form[action="/sign-in"]', { username: linus.name, password: linus.password });
  ensure((await late.locator('[role=alert]').count()) > 0, 'the old password is not refused');
  await used(await browser.window(), link);
}

async function set(page, link, secret) {
  await page.goto(link);
  ensure(!page.url().includes('#'), 'the secret stays in the address');
  await send(page, 'main form[action="/reset-password"]', { password: secret });
}

async function used(page, link) {
  await set(page, link, 'correct horse of a thief');
  ensure((await page.locator('[role=alert]').count()) > 0, 'the link serves twice');
}
