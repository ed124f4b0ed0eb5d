// Mary signs up, makes a token, pushes with the real client, lets Nora pull, is told of pushes, compares two tags,
// restores an old one, and deletes everything.

import { ensure } from '../lib/stage.mjs';
import { open, openUntil, press, refusal, send, signIn } from '../lib/steps.mjs';

const MARY = { name: 'mary', password: 'correct horse of mary' };
const NORA = { name: 'nora', password: 'correct horse of nora' };
const APP = '/r/mary/app';

export default async function life(stage, browser) {
  const image = (tag) => `${stage.host}/mary/app:${tag}`;
  const page = await browser.window();
  const laptop = stage.docker('mary');

  await page.goto('/');
  await page.locator('a[href="/sign-up"]').first().click();
  await send(page, 'main form[action="/sign-up"]', { name: MARY.name, password: MARY.password });
  ensure((await page.locator('form[action="/sign-out"]').count()) > 0, `mary is not signed in: ${await refusal(page)}`);

  const secret = await token(page);
  await laptop.login(MARY.name, secret);
  await laptop.run('push', image('one'));
  await openUntil(page, `${APP}/-/tags`, 'main a[href$="/-/tags/one"]');
  await open(page, APP);
  ensure((await page.locator('main').innerText()).includes(`docker pull ${image('one').split(':one')[0]}`), 'nobody is told how to pull');

  await share(stage, browser, page, image('one'));
  const hook = await webhook(stage, page);
  await laptop.run('push', image('two'));
  await openUntil(page, `/settings/webhooks/mary/app?webhook=${hook}`, 'main tbody .badge.good, main tbody .badge-good');
  await page.locator('main tbody a[href*="delivery="]').first().click();
  ensure((await page.locator('main').innerText()).includes('push_data'), 'the delivery is not shown');

  await openUntil(page, `${APP}/-/tags`, 'main a[href$="/-/tags/two"]');
  await open(page, `${APP}/-/compare?from=one&to=two`);
  ensure((await page.locator('main ol.layers li').count()) >= 2, 'the comparison shows no layers');

  await restore(page, laptop, image);
  await remove(stage, page, laptop, image('one'));
}

/** A token that reaches everything of Mary's; its secret is shown once. */
async function token(page) {
  await page.goto('/account/tokens');
  await send(page, 'main form:has([name=label])', { label: 'Laptop', pattern_1: 'mary/*', rights_1: 'pull,push' });
  const secret = (await page.locator('main').innerText()).match(/ptl_pat_\w+/)?.[0] ?? (await page.locator('main').innerHTML()).match(/ptl_pat_\w+/)?.[0];
  ensure(secret, `no token is shown: ${await refusal(page)}`);
  await page.goto('/account/tokens');
  ensure(!(await page.content()).includes(secret), 'the secret is shown twice');
  return secret;
}

/** Three clicks: settings, the field, the button. Before them Nora finds nothing, after them she pulls. */
async function share(stage, browser, page, image) {
  await stage.api(stage.admin, 'POST', '/accounts', NORA);
  const desktop = stage.docker('nora');
  await desktop.login(NORA.name, NORA.password);
  await desktop.fails('pull', image);
  const other = await browser.window();
  await signIn(other, NORA);
  await open(other, APP, 404);
  await open(page, APP);
  await page.locator('main a[href^="/settings/"]').first().click();
  await page.locator('main a[href="/settings/access/mary/app"]').first().click();
  await send(page, 'form:has(input[name=do][value=create])', { kind: 'account', who: NORA.name, role: 'read' });
  ensure((await page.locator('main tbody').first().innerText()).includes(NORA.name), `nora is not let in: ${await refusal(page)}`);
  await desktop.run('pull', image);
  await open(other, APP);
}

async function webhook(stage, page) {
  await page.goto('/settings/webhooks/mary/app');
  await send(page, 'form:has(input[name=do][value=create])', { url: stage.receiver, label: 'CI', event: ['push'] });
  ensure(/whsec_/.test(await page.content()), `the secret of the webhook is not shown: ${await refusal(page)}`);
  await page.goto('/settings/webhooks/mary/app');
  ensure(!/whsec_/.test(await page.content()), 'the secret of the webhook is shown twice');
  const link = await page.locator('main a[href*="webhook="]').first().getAttribute('href');
  return new URL(link, stage.url).searchParams.get('webhook');
}

/** The tag is moved by a push, and back by its history. */
async function restore(page, laptop, image) {
  const digest = async () => (await laptop.run('manifest', 'inspect', '--insecure', '--verbose', image('one'))).match(/"digest": "(sha256:\w+)"/)[1];
  const before = await digest();
  await laptop.run('tag', image('two'), image('one'));
  await laptop.run('push', image('one'));
  ensure((await digest()) !== before, 'the push did not move the tag');
  const form = `main form[action$="/restore"]:has(input[value="${before}"])`;
  await openUntil(page, `${APP}/-/tags/one`, form);
  await send(page, form);
  ensure((await page.locator('[role=status]').count()) > 0, `the tag is not restored: ${await refusal(page)}`);
  ensure((await digest()) === before, 'the tag points elsewhere than it did');
}

/** Another name does not delete it; its own does, and nobody pulls it any more. */
async function remove(stage, page, laptop, image) {
  const form = 'form:has(input[name=typed])';
  await page.goto('/settings/delete/mary/app');
  await page.locator(form).locator('[name=typed]').fill('mary/ap');
  // With script the button waits for the name; without, the server says that it is another one.
  if (await page.locator(form).locator('button').isEnabled()) {
    await press(page, page.locator(form).locator('button'));
    ensure((await page.locator('[role=alert]').count()) > 0, 'a wrong name is taken');
  }
  await laptop.run('manifest', 'inspect', '--insecure', image);
  await page.goto('/settings/delete/mary/app');
  await send(page, form, { typed: 'mary/app' });
  await open(page, APP, 404);
  await laptop.fails('manifest', 'inspect', '--insecure', image);
}
