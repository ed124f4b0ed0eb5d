// Every link on every page leads somewhere, and every page that a link leads to is one of the list that is looked at.

import { build } from '../lib/scene.mjs';
import { pages, who } from '../lib/pages.mjs';
import { signIn } from '../lib/steps.mjs';
import { ensure } from '../lib/stage.mjs';

/** A walk that goes on and on is a mistake of its own. */
const MOST = 600;

export default async function links(stage, browser) {
  const scene = await build(stage);
  const list = pages(scene);
  const shapes = new Set(list.map(([, , address]) => shape(address)));
  const unknown = new Map();
  const dead = [];
  let seen = 0;
  for (const name of [null, 'ada', 'admin']) {
    const page = await browser.window();
    if (name) await signIn(page, who(stage, name));
    const walk = await Walk.begin(page, stage);
    await walk.go(list.filter(([, by]) => by === name).map(([, , address]) => address));
    dead.push(...walk.dead);
    seen += walk.seen.size;
    for (const [address, from] of walk.pages) if (!shapes.has(shape(address))) unknown.set(shape(address), `${address} (from ${from})`);
    await page.context().close();
  }
  stage.say(`${seen} addresses`);
  const lines = [...dead, ...[...unknown.values()].map((page) => `missing in lib/pages.mjs: ${page}`)];
  ensure(lines.length === 0, `links that lead nowhere, or to pages that nobody looks at:\n${lines.join('\n')}`);
}

/** Follows links as somebody who is signed in, without a browser: it shall be quick. */
class Walk {
  seen = new Set();
  pages = new Map();
  dead = [];
  #shapes = new Map();

  static async begin(page, stage) {
    const walk = new Walk();
    const cookies = await page.context().cookies();
    walk.url = stage.url;
    walk.headers = { accept: 'text/html', cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '), 'accept-language': 'en' };
    return walk;
  }

  async go(starts) {
    const queue = starts.map((address) => [address, 'the list']);
    while (queue.length > 0) {
      const [address, from] = queue.shift();
      if (this.seen.has(address)) continue;
      this.seen.add(address);
      ensure(this.seen.size < MOST, `there is no end of links: ${[...this.seen].slice(-20).join(' ')}`);
      const answer = await fetch(this.url + address, { headers: this.headers, redirect: 'manual' });
      const text = await answer.text();
      if (answer.status >= 400 && from !== 'the list') this.dead.push(`${answer.status} ${address} (from ${from})`);
      const isPage = (answer.headers.get('content-type') ?? '').startsWith('text/html');
      if (answer.status !== 200 || !isPage) continue;
      this.pages.set(address, from);
      for (const next of named(text, this.url, address)) {
        // Three of a kind tell enough: a table has the same link in each of its rows.
        const kind = shape(next);
        const known = this.#shapes.get(kind) ?? 0;
        if (this.seen.has(next) || known >= 3) continue;
        this.#shapes.set(kind, known + 1);
        queue.push([next, address]);
      }
    }
  }
}

/** Addresses of ours that a page's links name. */
function named(text, url, base) {
  const found = [];
  for (const [, raw] of text.matchAll(/<a\b[^>]*?\shref="([^"]*)"/g)) {
    const address = new URL(raw.replaceAll('&amp;', '&').replaceAll('&#38;', '&'), url + base);
    if (address.origin === url) found.push(address.pathname + address.search);
  }
  return found;
}

/** What all addresses of one kind of page have in common: names, numbers and what is asked for do not count. */
function shape(address) {
  const [pathname, query = ''] = address.split('?');
  const keys = [...new URLSearchParams(query).keys()].filter((key) => key === 'action').sort();
  const parts = pathname.split('/').filter(Boolean);
  const [area, ...rest] = parts;
  const kinds = {
    r: () => {
      const dash = rest.indexOf('-');
      const section = dash < 0 ? [] : rest.slice(dash + 1).map((part, at) => (at === 0 ? part : '*'));
      return ['r', '*', ...section];
    },
    _: () => ['r', '*'],
    n: () => ['n', '*'],
    o: () => ['o', '*', ...rest.slice(1).map((part, at) => (at === 0 ? part : '*'))],
    help: () => ['help', ...rest.map((part, at) => (at === 0 ? part : '*'))],
    settings: () => ['settings', rest[0], '*'],
    account: () => ['account', ...rest.map((part, at) => (at === 0 ? part : '*'))],
    admin: () => ['admin', ...rest.map((part, at) => (at === 0 ? part : '*'))],
  };
  const path = kinds[area]?.() ?? parts;
  return `/${path.join('/')}${keys.length > 0 ? `?${keys}` : ''}`;
}
