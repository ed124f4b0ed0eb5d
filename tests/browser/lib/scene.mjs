// A small site with something on every page: people, an organisation, images, and what happened to them.

import { Registry, image, index, layer, referrer } from './image.mjs';
import { until } from './stage.mjs';

const PASSWORD = 'correct horse battery staple';

const person = (name) => ({ name, password: PASSWORD });

/** The people of the scene: an owner, a member, a guest, somebody from elsewhere. */
export const people = { ada: person('ada'), grace: person('grace'), linus: person('linus'), ming: person('xiaoming') };

const README = `# Web shop

The shop of **Acme**: one static binary behind any proxy.

| Variable | Meaning |
|---|---|
| \`SHOP_PORT\` | where it listens |
| \`SHOP_CURRENCY\` | \`EUR\`, \`CNY\`, \`USD\` |

\`\`\`sh
docker run --publish 8080:8080 --env SHOP_CURRENCY=EUR acme/web-shop
\`\`\`

- migrations run at the start
- [Handbook](https://example.com/handbook)
`;

const KiB = 1024;

/** Fills the server; gives what pages need to know of it. */
export async function build(stage) {
  const { admin } = stage;
  const { ada, grace, linus, ming } = people;
  for (const { name, password } of Object.values(people)) await stage.api(admin, 'POST', '/accounts', { name, password });
  await stage.api(ada, 'PATCH', '/accounts/ada', { full_name: 'Ada Lovelace', biography: 'Engines, analytical and other.', location: 'London', website: 'https://example.com/ada' });
  await organisation(stage, ada);
  await images(stage);
  const ids = await known(stage, ada, ['acme/web-shop', 'acme/base', 'acme/payments', 'acme/old-site']);
  await described(stage, ids);
  await rules(stage, ids);
  await talk(stage, ids);
  const token = await access(stage);
  const webhook = await hooks(stage, ids);
  const digests = await moved(stage, ids);
  await stage.api(ada, 'DELETE', `/repositories/${ids['acme/old-site']}`);
  const reset = await stage.api(admin, 'POST', '/password-resets', { username: linus.name });
  const invitation = await stage.api(ada, 'POST', '/organisations/acme/invitations', { role: 'member', team: 'builders' });
  return { ids, webhook, token, digests, reset: link(reset), invitation: link(invitation) };
}

/** The address in an answer that gives a link. */
function link(answer) {
  const found = Object.values(answer).find((value) => typeof value === 'string' && value.includes('#'));
  if (!found) throw new Error(`no link in ${JSON.stringify(answer)}`);
  return found;
}

async function organisation(stage, ada) {
  await stage.api(ada, 'POST', '/organisations', { name: 'acme', display_name: 'Acme Ltd.' });
  await stage.api(ada, 'POST', '/organisations/acme/teams', { name: 'builders', description: 'Those who push' });
  await stage.api(ada, 'PUT', '/organisations/acme/members/grace', { role: 'member' });
  await stage.api(ada, 'PUT', '/organisations/acme/members/linus', { role: 'guest', expires_at: '2099-01-01T00:00:00Z' });
  await stage.api(ada, 'PUT', '/organisations/acme/teams/builders/members/grace');
  const subject = { kind: 'team', name: 'builders' };
  await stage.api(ada, 'POST', '/rules', { subject, pattern: 'acme/*', role: 'write' });
  const limits = [{ pattern: 'acme/*', rights: ['pull', 'push'] }];
  await stage.api(ada, 'POST', '/robots', { namespace: 'acme', name: 'ci', label: 'Build machine', limits });
  await stage.api(ada, 'POST', '/organisation-tokens', { organisation: 'acme', label: 'Deployment', limits });
}

async function images(stage) {
  const { ada, ming } = people;
  const of = (who) => new Registry(stage.url, who);
  const system = layer('system', 1800 * KiB, 'ADD rootfs.tar.gz / # the system');
  const registry = of(ada);
  await registry.push('acme/base', image([system]), 'stable');
  const labels = (version) => ({
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.title': 'Web shop',
    'org.opencontainers.image.licenses': 'MIT',
  });
  for (const [version, extra] of [['1.0', 300], ['1.1', 420], ['1.2', 700]]) {
    const application = (architecture) => layer(`shop-${architecture}`, extra * KiB, 'COPY shop /usr/local/bin/shop');
    const made = (architecture, variant) =>
      image([system, layer('certificates', 90 * KiB, 'RUN install ca-certificates'), application(architecture)], {
        architecture,
        variant,
        labels: labels(version),
        env: ['SHOP_PORT=8080', `SHOP_RELEASE=${version}`],
        entrypoint: ['/usr/local/bin/shop'],
      });
    const all = index([made('amd64'), made('arm64', 'v8')]);
    await registry.push('acme/web-shop', all, version);
    await registry.push('acme/web-shop', referrer(all, 'application/spdx+json', JSON.stringify({ spdxVersion: 'SPDX-2.3', name: version })));
    await registry.push('acme/web-shop', referrer(all, 'application/vnd.dev.cosign.artifact.sig.v1+json', '{"signed":true}'));
    await registry.push('acme/web-shop', all, 'latest');
  }
  await registry.push('acme/payments', image([system, layer('payments', 512 * KiB, 'COPY payments /app')]), '2.0');
  await registry.push('acme/old-site', image([layer('site', 64 * KiB, 'COPY site /srv')]), '1');
  await of(ming).push('xiaoming/jingxiang', image([layer('app', 256 * KiB, 'COPY app /app')]), '1.0');
  await of(stage.admin).push('library/alpine', image([layer('alpine', 900 * KiB, 'ADD alpine.tar.gz /')]), '3.22');
  for (let n = 0; n < 5; n += 1) await registry.pull('acme/web-shop', 'latest');
}

/** The ids of repositories, once the index has heard of them. */
async function known(stage, who, names) {
  const ids = {};
  for (const name of names) {
    ids[name] = await until(`${name} to be known`, async () => {
      const found = await stage.api(who, 'GET', `/repositories?name=${name}`);
      return found.items[0]?.id;
    });
  }
  return ids;
}

async function described(stage, ids) {
  const { ada, ming, grace } = people;
  const shop = ids['acme/web-shop'];
  Object.assign(ids, await known(stage, ming, ['xiaoming/jingxiang']), await known(stage, stage.admin, ['library/alpine']));
  for (const [who, name] of [[ada, 'acme/web-shop'], [ada, 'acme/base'], [ming, 'xiaoming/jingxiang'], [stage.admin, 'library/alpine']]) {
    await stage.api(who, 'PATCH', `/repositories/${ids[name]}`, { visibility: 'public' });
  }
  await stage.api(stage.admin, 'PUT', '/categories/web', { name: 'Web' });
  await stage.api(ada, 'PATCH', `/repositories/${shop}/description`, { summary: 'The shop of Acme, in one static binary', description: README, topics: ['shop', 'web'], categories: ['web'] });
  await stage.api(ada, 'PATCH', `/repositories/${ids['acme/base']}/description`, { summary: 'What every image of Acme is built on', topics: ['base'] });
  await stage.api(ming, 'PATCH', `/repositories/${ids['xiaoming/jingxiang']}/description`, { summary: '镜像仓库示例，适合初学者', description: '# 镜像仓库示例\n\n用于演示 **推送** 与 **拉取**。\n', topics: ['demo'] });
  await stage.api(stage.admin, 'PUT', '/namespaces/acme/verified');
  for (const who of [ada, grace, ming]) await stage.api(who, 'PUT', `/repositories/${shop}/star`);
  await stage.api(ada, 'PUT', `/bookmarks/work/${shop}`);
  await stage.api(ada, 'PUT', `/bookmarks/work/${ids['library/alpine']}`);
}

async function rules(stage, ids) {
  const { ada } = people;
  const shop = `/repositories/${ids['acme/web-shop']}`;
  await stage.api(ada, 'PUT', `${shop}/immutable-tags`, { tags: ['1.*'], except: [] });
  const rules = [{ action: 'delete', tags: ['dev-*'], not_pushed_for_days: 30 }, { action: 'keep', newest: 5 }];
  await stage.api(ada, 'PUT', `${shop}/retention`, { rules, untagged_days: 14, every_days: 7 });
  await stage.api(ada, 'POST', `${shop}/retention/runs`);
  await stage.api(stage.admin, 'PATCH', '/namespaces/acme/quota', { storage_bytes: 10_000_000, repositories: 20 });
  await stage.api(ada, 'POST', '/rules', { subject: { kind: 'account', name: 'linus' }, repository: 'acme/payments', role: 'read' });
}

async function talk(stage, ids) {
  const { ada, grace, linus } = people;
  const shop = `/repositories/${ids['acme/web-shop']}/comments`;
  await stage.api(stage.admin, 'PUT', '/site/comments', { allowed: true });
  await stage.api(ada, 'PUT', `${shop}/settings`, { open: true, newcomers_wait: false });
  const first = await stage.api(grace, 'POST', shop, { text: 'Does `1.2` run on **arm64**?' });
  await stage.api(ada, 'POST', shop, { text: 'It does, since yesterday.', reply_to: first.id });
  await stage.api(linus, 'POST', shop, { text: '很好用，谢谢！' });
}

async function access(stage) {
  const { ada } = people;
  const limits = [{ pattern: 'acme/*', rights: ['pull'] }];
  const laptop = await stage.api(ada, 'POST', '/access-tokens', { label: 'Laptop', limits, expires_in_days: 30 });
  await stage.api(ada, 'POST', '/access-tokens', { label: 'Build machine', limits, networks: ['10.0.0.0/8'], expires_in_days: 90 });
  return laptop.id;
}

async function hooks(stage, ids) {
  const { ada } = people;
  const place = `/repositories/${ids['acme/web-shop']}/webhooks`;
  const made = await stage.api(ada, 'POST', place, { name: 'Continuous integration', url: stage.receiver, events: ['push', 'tag.deleted'] });
  await stage.api(ada, 'POST', `${place}/${made.id}/ping`);
  await until('the test to be delivered', async () => {
    const log = await stage.api(ada, 'GET', `${place}/${made.id}/deliveries`);
    return log.items[0]?.state === 'delivered';
  });
  return made.id;
}

/** Moves a tag, deletes another, and tells the digests of a tag. */
async function moved(stage, ids) {
  const { ada } = people;
  const registry = new Registry(stage.url, ada);
  await registry.push('acme/web-shop', image([layer('try', 40 * KiB, 'COPY try /try')]), 'dev-7');
  await registry.push('acme/web-shop', image([layer('try', 44 * KiB, 'COPY try /try')]), 'dev-7');
  const shop = `/repositories/${ids['acme/web-shop']}`;
  await until('both pushes to be known', async () => {
    const history = await stage.api(ada, 'GET', `${shop}/tags/dev-7/history`).catch(() => null);
    return history?.items?.length >= 2;
  });
  await stage.api(ada, 'DELETE', `${shop}/tags/dev-7`);
  const tag = await stage.api(ada, 'GET', `${shop}/tags/1.2`);
  return { index: tag.tag.digest };
}
