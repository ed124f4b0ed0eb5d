// An administrator leaves the browser open and comes back: what may do much harm wants the password again and then goes on
// where it was. The server's clock is put forward by minutes in a moment.

import { writeFileSync } from 'node:fs';
import { open, press, refusal, send, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const GOAL = '/admin/accounts?q=adm';
const FORM = '/admin/announcements';
const ASKED = 'main form[action="/confirm"]';

export default async function confirmation(stage, browser) {
  const page = await browser.window();
  const at = (minutes) => writeFileSync(stage.clock, `+${minutes}m`);
  await signIn(page, stage.admin);
  await reached(page, GOAL);

  // Whoever goes on is not asked, even an hour after the password.
  for (let minutes = 14; minutes <= 56; minutes += 14) {
    at(minutes);
    await reached(page, FORM);
  }

  // The form is still open a quarter of an hour later.
  at(56 + 16);
  await send(page, `main form[action="${FORM}"]`, { text: 'Too late for this' });
  ensure((await page.locator('main').innerText()).includes('Nothing was changed.'), `the late form is taken: ${await refusal(page)}`);
  ensure((await page.locator('[role=note]').count()) === 0, 'what came too late is announced');
  await press(page, page.locator('main a[href^="/confirm"]'));
  here(page, `/confirm?next=${encodeURIComponent(FORM)}`);

  // What can do little harm goes on; the rest does not.
  await reached(page, '/account');
  for (const address of [GOAL, '/account/tokens']) {
    await open(page, address);
    here(page, `/confirm?next=${encodeURIComponent(address)}`);
  }

  await open(page, GOAL);
  await send(page, ASKED, { password: 'not the password' });
  here(page, '/confirm');
  const said = await page.locator('[role=alert]').innerText();
  ensure(said === 'The current password is wrong.', `a wrong password is answered with “${said}”`);
  ensure((await page.locator(`${ASKED} [name=password]`).inputValue()) === '', 'the wrong password stands in the field');
  const other = await page.context().newPage();
  await other.goto(FORM);
  ensure(other.url().includes('/confirm?next='), 'a wrong password opens administration');
  await other.close();

  await send(page, ASKED, { password: stage.admin.password });
  here(page, GOAL);
  ensure((await page.locator('main').innerText()).includes(stage.admin.name), 'the page is not the one that was asked for');
  await reached(page, FORM);
  ensure(!(await page.locator('main').innerText()).includes('Too late for this'), 'what came too late is kept');
}

/** Opens a page that is shown at once. */
async function reached(page, address) {
  await open(page, address);
  here(page, address);
}

/** The window shows this address. */
function here(page, address) {
  const { pathname, search } = new URL(page.url());
  const shown = `${pathname}${search}`;
  ensure(shown === address, `${shown} is shown instead of ${address}`);
}
