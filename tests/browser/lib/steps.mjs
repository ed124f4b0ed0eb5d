// What people do again and again.

import { ensure, until } from './stage.mjs';

/** Signs in by the form. */
export async function signIn(page, { name, password }) {
  await page.goto('/sign-in');
  await send(page, 'main form[action="/sign-in"]', { username: name, password });
  ensure(!new URL(page.url()).pathname.startsWith('/sign-in'), `${name} is not signed in: ${await refusal(page)}`);
}

/** Opens a page and holds the answer to this status. */
export async function open(page, address, status = 200) {
  const answer = await page.goto(address, { waitUntil: 'load' });
  ensure(answer.status() === status, `${address} is answered with ${answer.status()} instead of ${status}`);
  return answer;
}

/** Fills fields of a form by their names, sends it, and waits for the page that answers. */
export async function send(page, form, fields = {}) {
  const found = page.locator(form).first();
  await found.waitFor();
  for (const [name, value] of Object.entries(fields)) {
    const field = found.locator(`[name="${name}"]`);
    if (value === true || value === false || Array.isArray(value)) await check(field, value);
    else if ((await field.evaluate((one) => one.tagName)) === 'SELECT') await field.selectOption(value);
    else await field.fill(value);
  }
  await press(page, found.locator('button:not([type=button])').first());
}

/** Presses what leads to another page, and waits for that. */
export async function press(page, button) {
  await Promise.all([page.waitForEvent('domcontentloaded'), button.click()]);
}

/** Ticks one box, or those of these values and no others. */
async function check(field, wanted) {
  for (const box of await field.all()) {
    const is = Array.isArray(wanted) ? wanted.includes(await box.getAttribute('value')) : wanted;
    await box.setChecked(is);
  }
}

/** Loads a page again and again until it has something. */
export async function openUntil(page, address, selector) {
  await until(`${selector} on ${address}`, async () => {
    await page.goto(address);
    return (await page.locator(selector).count()) > 0;
  });
}

/** What a page says against what was sent, or all that it says. */
export async function refusal(page) {
  const alert = page.locator('[role=alert]');
  return (await alert.count()) > 0 ? alert.first().innerText() : page.locator('main').innerText();
}
