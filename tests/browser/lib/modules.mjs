// The two packages, from the folder into which `.ci/packages` installs them (a folder named in PORTOLAN_TEST_BROWSER),
// or from beside this file. `import` knows no such search, `require` does.

import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

function folder() {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const here = fileURLToPath(new URL('..', import.meta.url));
  const folders = [process.env.PORTOLAN_TEST_BROWSER, here, path.join(cache, 'portolan/browser')].filter(Boolean);
  const found = folders.find((one) => existsSync(path.join(one, 'node_modules/playwright-core/package.json')));
  if (!found) throw new Error(`playwright-core is in none of ${folders.join(', ')} (npm ci in one of them)`);
  return found;
}

const require = createRequire(path.join(folder(), 'package.json'));

/** Drives the browser. */
export const { chromium } = require('playwright-core');

/** The source of axe-core, to be run in a page. */
export const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
