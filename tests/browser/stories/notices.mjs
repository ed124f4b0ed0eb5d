// Grace is told what others did: as a number in the head of every page, and in sentences of her language on a page of her
// own. What she has read is counted no longer, and a kind that she switched off is not told.

import { Registry, image, layer } from '../lib/image.mjs';
import { open, press, refusal, send, signIn } from '../lib/steps.mjs';
import { ensure, until } from '../lib/stage.mjs';

const ADA = { name: 'ada', password: 'correct horse of ada' };
const GRACE = { name: 'grace', password: 'correct horse of grace' };
const PAGE = '/account/notifications';
const CHOICES = `main form[action="${PAGE}/choose"]`;

export default async function notices(stage, browser) {
  for (const who of [ADA, GRACE]) await stage.api(stage.admin, 'POST', '/accounts', who);
  const page = await browser.window();
  const chinese = await browser.window({ language: 'zh-CN', script: false });
  for (const one of [page, chinese]) {
    await signIn(one, GRACE);
    await counted(one, 0);
  }

  await organisation(stage, 'acme');
  await repository(stage, 'ada/tool');
  await rule(stage, { repository: 'ada/tool', role: 'read' });
  await counted(page, 2, '2 unread notifications');
  await counted(chinese, 2, '2 条未读通知');
  await listed(page, ['ada added you to the organisation acme. Your role there: member.', 'ada gave you access to ada/tool: pull.']);
  await listed(chinese, ['ada 将您加入了组织 acme，您的角色是成员。', 'ada 授予了您访问 ada/tool 的权限：pull。']);

  await reading(page, chinese);
  await choosing(stage, page);

  await open(page, PAGE);
  await send(page, `main form[action="${PAGE}/remove-all"]`);
  ensure((await page.locator('ol.notices').count()) === 0, 'what was deleted is still listed');
  await counted(page, 0);
}

/** One is read by opening it, which leads to what it is about, the other by saying so; then nothing is counted anywhere. */
async function reading(page, chinese) {
  await open(page, PAGE);
  const access = page.locator('ol.notices li', { hasText: 'ada/tool' });
  await press(page, access.locator(`form[action="${PAGE}/open"] button`));
  ensure(new URL(page.url()).pathname === '/r/ada/tool', `the notice leads to ${page.url()}`);
  await counted(page, 1, '1 unread notification');
  await open(page, PAGE);
  await press(page, page.locator(`main form[action="${PAGE}/read"] button`).first());
  ensure((await page.locator('ol.notices li').count()) === 2, 'what was read is gone');
  ensure((await page.locator('ol.notices li.is-new').count()) === 0, 'what was read is new');
  for (const one of [page, chinese]) await counted(one, 0);
}

/** A kind that is off is not told while others are, and is again once it is on. */
async function choosing(stage, page) {
  await open(page, PAGE);
  const kinds = await page.locator(`${CHOICES} [name=on]`).evaluateAll((boxes) => boxes.map((box) => box.value));
  ensure(kinds.length === 10, `there are ${kinds.length} kinds: ${kinds}`);
  await chosen(page, kinds.filter((kind) => kind !== 'collaborator'));
  await rule(stage, { pattern: 'ada/*', role: 'write' });
  await organisation(stage, 'harbour');
  await counted(page, 1, '1 unread notification');
  await open(page, PAGE);
  const unread = await page.locator('ol.notices li.is-new').allInnerTexts();
  ensure(unread.length === 1 && unread[0].includes('harbour'), `what is switched off is told, or other things are not: ${unread}`);
  await chosen(page, kinds);
  await rule(stage, { pattern: 'ada/to*', role: 'write' });
  await counted(page, 2, '2 unread notifications');
}

/** Ticks these kinds alone, and finds them so on the page that follows. */
async function chosen(page, kinds) {
  await send(page, CHOICES, { on: kinds });
  ensure((await page.locator('[role=status]').count()) > 0, `the choice is not kept: ${await refusal(page)}`);
  const ticked = await page.locator(`${CHOICES} [name=on]:checked`).evaluateAll((boxes) => boxes.map((box) => box.value));
  ensure(ticked.join() === kinds.join(), `these are ticked: ${ticked}`);
}

/** The head of a page says how many there are that were not read. */
async function counted(page, number, words = '') {
  await open(page, '/');
  const badge = page.locator('header summary .unread');
  const shown = (await badge.count()) > 0 ? await badge.locator('[aria-hidden]').textContent() : '0';
  ensure(shown === String(number), `${shown} are counted instead of ${number}`);
  if (number > 0) {
    const said = await badge.locator('.unseen').textContent();
    ensure(said === words, `who hears the page hears “${said}”`);
  }
}

/** The page lists these sentences and no others. */
async function listed(page, sentences) {
  await open(page, PAGE);
  const found = await page.locator('ol.notices li p a').allTextContents();
  ensure(found.sort().join('\n') === [...sentences].sort().join('\n'), `these are listed: ${found}`);
}

async function organisation(stage, name) {
  await stage.api(ADA, 'POST', '/organisations', { name });
  await stage.api(ADA, 'PUT', `/organisations/${name}/members/grace`, { role: 'member' });
}

async function repository(stage, name) {
  const registry = new Registry(stage.url, ADA);
  await registry.push(name, image([layer('tool', 1024, 'COPY tool /tool')]), '1');
  await until(`${name} to be known`, async () => {
    const found = await stage.api(ADA, 'GET', `/repositories?name=${name}`);
    return found.items.length > 0;
  });
}

async function rule(stage, wish) {
  await stage.api(ADA, 'POST', '/rules', { subject: { kind: 'account', name: GRACE.name }, ...wish });
}
