// Every page that there is, by who looks at it. What is looked at as a whole (axe-core, weight, width, pictures) takes
// this list; the walk over all links (stories/links.mjs) fails when it meets a page that is missing here.

import { people } from './scene.mjs';

/** `[name, who, address]`, perhaps of some pages alone; nobody is a visitor. */
export function pages(scene, only = []) {
  return all(scene).filter(([name]) => only.length === 0 || only.includes(name));
}

function all({ webhook, token, digests }) {
  const shop = '/r/acme/web-shop';
  const settings = (section) => [`repository-${section}`, 'ada', `/settings/${section}/acme/web-shop`];
  const organisation = (section) => [`organisation-${section}`, 'ada', `/o/acme/${section}`];
  const account = (section) => [`account-${section}`, 'ada', `/account/${section}`];
  const admin = (section) => [`admin-${section.replace('/', '-')}`, 'admin', `/admin/${section}`];
  return [
    ['home', null, '/'],
    ['sign-in', null, '/sign-in'],
    ['sign-up', null, '/sign-up'],
    ['reset-password', null, '/reset-password'],
    ['invitation', null, '/invitation'],
    ['help', null, '/help'],
    ['help-api', null, '/help/api'],
    ['help-api-group', null, '/help/api/content'],
    ['help-api-shapes', null, '/help/api/content/shapes'],
    ['not-found', null, '/r/nobody/nothing'],
    ['search', null, '/search?q=shop'],
    ['search-nothing', null, '/search?q=zzzz'],
    ['repository-visitor', null, shop],
    ['home-signed-in', 'ada', '/'],
    ['repository', 'ada', shop],
    ['tags', 'ada', `${shop}/-/tags`],
    ['tag', 'ada', `${shop}/-/tags/1.2`],
    ['compare', 'ada', `${shop}/-/compare?from=1.1&to=1.2`],
    ['activity', 'ada', `${shop}/-/activity`],
    ['comments', 'ada', `${shop}/-/comments`],
    ['namespace', 'ada', '/n/acme'],
    ['explain', 'ada', '/explain'],
    ['welcome', 'ada', '/welcome'],
    ...['general', 'access', 'webhooks', 'immutable', 'retention', 'name', 'delete'].map(settings),
    ['repository-webhook', 'ada', `/settings/webhooks/acme/web-shop?webhook=${webhook}`],
    ['organisations', 'ada', '/o'],
    ['organisation', 'ada', '/o/acme'],
    ...['members', 'teams', 'invitations', 'access', 'robots', 'tokens', 'webhooks'].map(organisation),
    ...['immutable', 'retention', 'quota', 'audit', 'deleted', 'profile', 'leave', 'delete'].map(organisation),
    ['new-repository', 'ada', '/new/repository'],
    ['new-organisation', 'ada', '/new/organisation'],
    ['delete-tag', 'ada', `${shop}/-/tags/latest/delete`],
    ['manifest', 'ada', `${shop}/-/manifests/${digests.index}`],
    ['account', 'ada', '/account'],
    ['confirm', 'ada', '/confirm'],
    ...['notifications', 'tokens', 'devices', 'password', 'organisations', 'lists', 'appearance', 'end'].map(account),
    ['account-token', 'ada', `/account/tokens/${token}`],
    ['admin', 'admin', '/admin'],
    ...['accounts', 'accounts/grace', 'organisations', 'storage', 'keys', 'events', 'upkeep', 'settings', 'categories', 'audit', 'announcements'].map(admin),
  ];
}

/** Who of the scene somebody of the list is. */
export function who(stage, name) {
  return name === 'admin' ? stage.admin : people[name];
}
