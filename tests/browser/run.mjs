// One story: `node run.mjs STORY STAGE [PAGE…]`, where STAGE is a file of JSON that says where the server is (README.md).
// What looks at all pages looks at those alone that are named, if any are.
// Exit code 0: it went as told. What was measured is printed; why it failed goes to standard error.

import { Browser } from './lib/browser.mjs';
import { Stage } from './lib/stage.mjs';

const [name, file, ...only] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name ?? '') || !file) {
  console.error('node run.mjs STORY STAGE.json [PAGE…]');
  process.exit(2);
}
const story = await import(`./stories/${name}.mjs`);
const stage = new Stage(file);
stage.only = only;
const browser = await Browser.open(stage);
try {
  await story.default(stage, browser);
  browser.blameless();
} catch (error) {
  console.error(`${error.stack ?? error}\n${await browser.describe()}`);
  const faults = [...new Set(browser.faults)];
  if (faults.length > 0) console.error(`and pages did what none may do:\n  ${faults.join('\n  ')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
