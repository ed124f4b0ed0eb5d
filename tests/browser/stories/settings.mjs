// An administrator gives the site a name and a greeting and opens it for everybody; visitors see it at once. What the
// configuration says can not be changed, and says so. Then the site is closed again.

import { open, press, refusal, send, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const PAGE = '/admin/settings';
const FORM = `main form[action="${PAGE}"]`;
const SIGN_UP = 'main form[action="/sign-up"]';
const GREETING = 'Welcome <b>ashore</b>: images of the harbour & its ships';
const PASSWORD = 'correct horse of a visitor';
const FIXED = 'organisations.create';

export default async function settings(stage, browser) {
  const office = await browser.window();
  await signIn(office, stage.admin);
  const visitor = await browser.window();
  await closed(visitor);

  await open(office, PAGE);
  await save(office, { 'site.name': 'Harbour', 'site.greeting': GREETING, sign_up: 'open' });
  ensure((await office.locator('[role=status]').count()) > 0, `nothing is saved: ${await refusal(office)}`);
  ensure((await office.locator('header .brand').innerText()) === 'Harbour', 'the page of the settings has the old name');

  await named(visitor, '/', 'Harbour');
  ensure((await visitor.locator('h1').innerText()) === 'Harbour', 'the first page has another title');
  const greeting = await visitor.locator('main .lead').first().innerText();
  ensure(greeting === GREETING, `visitors are greeted with “${greeting}”`);
  await named(visitor, '/sign-in', 'Harbour');

  // Somebody signs up; somebody else has the form open while it is closed.
  const late = await browser.window();
  await open(late, '/sign-up');
  await open(visitor, '/sign-up');
  await send(visitor, SIGN_UP, { name: 'vera', password: PASSWORD });
  ensure((await visitor.locator('form[action="/sign-out"]').count()) > 0, `vera is not signed in: ${await refusal(visitor)}`);
  await open(office, PAGE);
  await save(office, { sign_up: 'closed' });
  await send(late, SIGN_UP, { name: 'lars', password: PASSWORD });
  ensure((await late.locator('[role=alert]').count()) > 0, 'an account is made though nobody may make one');
  ensure((await late.locator('form[action="/sign-out"]').count()) === 0, 'lars is signed in');
  await closed(late);
  await open(office, '/admin/accounts');
  const accounts = await office.locator('main').innerText();
  ensure(accounts.includes('vera') && !accounts.includes('lars'), `these are the accounts: ${accounts}`);

  await fixed(office);

  await open(office, PAGE);
  await press(office, office.locator('main button[form=defaults][value="site.name"]'));
  await named(await browser.window(), '/', 'Portolan');
}

/** What the configuration says stands there as a text with its key; a form that was changed by hand is refused as a whole. */
async function fixed(office) {
  await open(office, PAGE);
  const told = await office.locator(`${FORM} .fixed`, { hasText: FIXED }).innerText();
  ensure(told.includes('Set by the configuration') && told.includes('administrators'), `it is told as “${told}”`);
  ensure((await office.locator(`${FORM} [name="${FIXED}"]`).count()) === 0, 'what is fixed has a field');
  await office.locator(FORM).evaluate((form, name) => {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name, value: 'everyone' });
    form.append(field);
  }, FIXED);
  await save(office, { 'site.name': 'Elsewhere' });
  const said = await refusal(office);
  ensure(said === 'This is set by the configuration and can only be changed there.', `it is refused with “${said}”`);
  await named(office, '/', 'Harbour');
}

/** Nobody may make an account, and is told whom to ask. */
async function closed(page) {
  await open(page, '/sign-up');
  ensure((await page.locator(SIGN_UP).count()) === 0, 'there is a form to sign up');
  const text = await page.locator('main').innerText();
  ensure(text.includes('accounts are created by administrators'), `who wants an account is told “${text}”`);
}

/** A page bears this name at the top and in its title. */
async function named(page, address, name) {
  await open(page, address);
  ensure((await page.locator('header .brand').innerText()) === name, `the head of ${address} has another name`);
  ensure((await page.title()).endsWith(` · ${name}`), `the title of ${address} is “${await page.title()}”`);
}

/** Fills in fields and saves. What gives a field its default back stands among them, and is not what is pressed. */
async function save(page, fields) {
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`${FORM} [name="${name}"]`);
    if ((await field.evaluate((one) => one.tagName)) === 'SELECT') await field.selectOption(value);
    else await field.fill(value);
  }
  await press(page, page.locator(`${FORM} > button[type=submit]`));
}
