// A registry collects garbage somewhere: an administrator sees how far it is while the page is open, finds the same after a
// reload and in another browser, and sees how it ended.

import { open, openUntil, signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

const PAGE = '/admin/upkeep';
const RUNNING = 'main article.work';
const PAST = 'section[aria-labelledby=past] tbody tr';

export default async function work(stage, browser) {
  const page = await browser.window();
  // Without script, and in another language.
  const other = await browser.window({ language: 'zh-CN', script: false });
  for (const one of [page, other]) await signIn(one, stage.admin);
  await open(page, PAGE);
  ensure((await page.locator(`${RUNNING}, ${PAST}`).count()) === 0, 'something runs, or has run');

  // It begins: nobody touches the page.
  await report(stage, 1, { phase: 'marking', unit: 'manifests', done: 3 });
  await page.locator(RUNNING).waitFor();
  await shows(page, ['Garbage collection', 'running', '/etc/harbour/registry.yml', 'Looking for what is needed: 3 manifests']);
  ensure((await bar(page)).value === null, 'how long it takes is not known yet, and shown');

  // It goes on: figures change, and the page is still the same one.
  await page.evaluate(() => (window.isSame = true));
  await report(stage, 2, { phase: 'sweeping', unit: 'blobs', done: 3, total: 12 });
  await shows(page, ['Removing what is not needed: 3 of 12 blobs']);
  ensure(await page.evaluate(() => window.isSame === true), 'the page was loaded again for a figure');
  const sweeping = { value: '3', max: '12' };
  same(await bar(page), sweeping);

  await open(page, PAGE);
  await shows(page, ['Removing what is not needed: 3 of 12 blobs']);
  same(await bar(page), sweeping);
  await open(other, PAGE);
  await shows(other, ['垃圾回收', '进行中', '正在清除不再需要的内容: 3 / 12 个数据块']);
  same(await bar(other), sweeping);

  // A report that comes late, after the one that followed it, changes nothing.
  await report(stage, 1, { phase: 'marking', unit: 'manifests', done: 3 });
  await open(other, PAGE);
  same(await bar(other), sweeping);

  await report(stage, 3, { phase: 'sweeping', unit: 'blobs', done: 12, total: 12, outcome: 'done', bytes: 5_000_000, message: '<b>12</b> blobs' });
  await page.locator(PAST).waitFor();
  await ended(page, ['Garbage collection', 'done', '12 blobs · 5.00 MB freed', '<b>12</b> blobs']);
  await open(page, PAGE);
  await ended(page, ['Garbage collection', 'done', '12 blobs · 5.00 MB freed']);
  await open(other, PAGE);
  await ended(other, ['垃圾回收', '已完成', '12 个数据块 · 已释放']);

  // The real program tells of itself.
  await stage.run(stage.collector, ['garbage-collect', '--dry-run', stage.configuration]);
  await openUntil(page, PAGE, `${PAST}:has-text("dry run")`);
  const told = await page.locator(PAST).first().innerText();
  ensure(told.includes('done') && told.includes(stage.configuration), `the program's run is told as “${told}”`);
}

/** What a registry tells the index. */
async function report(stage, sequence, more) {
  const body = { run: '5'.repeat(32), sequence, kind: 'garbage_collection', subject: '/etc/harbour/registry.yml', ...more };
  const answer = await fetch(stage.reports, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  ensure(answer.status === 204, `report ${sequence} is answered with ${answer.status}: ${await answer.text()}`);
}

/** Waits until what goes on shows these texts. */
async function shows(page, texts) {
  for (const text of texts) await page.locator(RUNNING, { hasText: text }).waitFor();
}

/** Nothing goes on any more, and the last that did is told with these texts. */
async function ended(page, texts) {
  ensure((await page.locator(RUNNING).count()) === 0, 'it is told as running');
  const row = await page.locator(PAST).first().innerText();
  for (const text of texts) ensure(row.includes(text), `“${text}” is missing in “${row}”`);
}

async function bar(page) {
  const found = page.locator(`${RUNNING} progress`);
  return { value: await found.getAttribute('value'), max: await found.getAttribute('max') };
}

function same(shown, expected) {
  ensure(JSON.stringify(shown) === JSON.stringify(expected), `the bar is ${JSON.stringify(shown)}`);
}
