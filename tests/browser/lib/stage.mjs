// What a story is played on: a server that runs, and the programs that people use besides a browser.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** How long one command may take. */
const LIMIT = 180_000;

export class Stage {
  constructor(file) {
    Object.assign(this, JSON.parse(readFileSync(file, 'utf8')));
    this.host = new URL(this.url).host;
  }

  /** Runs a program to its end; `text` is what it printed. Fails as the code is not the expected one. */
  async run(program, words, { input = '', env = {}, fails = false } = {}) {
    const child = spawn(program, words, { cwd: this.folder, env: { ...process.env, ...env }, timeout: LIMIT });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (text += piece));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    if ((code !== 0) !== fails) {
      throw new Error(`${program} ${words.join(' ')} should have ${fails ? 'failed' : 'succeeded'} (${code}):\n${text}`);
    }
    return text;
  }

  /** One person's Docker client, which keeps its logins apart from those of others. */
  docker(person) {
    const config = path.join(this.folder, `docker-${person}`);
    mkdirSync(config, { recursive: true });
    const env = { DOCKER_CONFIG: config, DOCKER_HOST: this.engine };
    return {
      run: (...words) => this.run('docker', words, { env }),
      fails: (...words) => this.run('docker', words, { env, fails: true }),
      login: (name, secret) =>
        this.run('docker', ['login', '--username', name, '--password-stdin', this.host], { env, input: secret }),
    };
  }

  /** A request of the API as somebody, whose answer must be one of success; gives its JSON. */
  async api(who, method, place, body) {
    const answer = await fetch(`${this.url}/api/v1${place}`, {
      method,
      headers: { authorization: basic(who), 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${place} as ${who.name}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** Tells a figure that is shown though the story succeeds. */
  say(text) {
    console.log(`measured: ${text}`);
  }
}

export function basic({ name, password }) {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** Asks again until something is there. */
export async function until(what, look, limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function ensure(condition, text) {
  if (!condition) throw new Error(text);
}
