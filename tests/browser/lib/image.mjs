// Images made by hand (OCI image-spec 1.1) and pushed by the protocol, for scenes; stories push with real clients.

import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { basic } from './stage.mjs';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const EMPTY = { type: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const described = ({ type, bytes }) => ({ mediaType: type, digest: digestOf(bytes), size: bytes.length });

/** A layer: a tar archive of one file with this many bytes that nothing makes smaller. */
export function layer(name, size, command) {
  const head = Buffer.alloc(512);
  const put = (at, text) => head.write(text, at, 'latin1');
  put(0, name);
  put(100, '0000644\0');
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(136, '00000000000\0');
  put(148, '        ');
  put(156, '0');
  put(257, 'ustar\x0000');
  const sum = head.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  const tar = Buffer.concat([head, randomBytes(size), Buffer.alloc((512 - (size % 512)) % 512 + 1024)]);
  const bytes = gzipSync(tar, { level: 1 });
  return { type: 'application/vnd.oci.image.layer.v1.tar+gzip', bytes, diff: digestOf(tar), command };
}

/** An image of these layers: what is to be stored, the manifest last. */
export function image(layers, { architecture = 'amd64', variant, labels = {}, env = [], annotations, entrypoint, created } = {}) {
  const config = {
    created: created ?? '2026-11-20T08:00:00Z',
    architecture,
    ...(variant && { variant }),
    os: 'linux',
    config: { Env: ['PATH=/usr/local/bin:/usr/bin', ...env], Entrypoint: entrypoint, Cmd: ['serve'], Labels: labels, ExposedPorts: { '8080/tcp': {} }, User: 'app' },
    rootfs: { type: 'layers', diff_ids: layers.map((one) => one.diff) },
    history: [
      ...layers.map((one) => ({ created: '2026-11-20T08:00:00Z', created_by: one.command })),
      { created: '2026-11-20T08:00:00Z', created_by: 'CMD ["serve"]', empty_layer: true },
    ],
  };
  const configuration = { type: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from(JSON.stringify(config)) };
  return manifest(layers, configuration, { annotations }, { architecture, os: 'linux', ...(variant && { variant }) });
}

/** What refers to another manifest: a signature, an SBOM, an attestation. */
export function referrer(subject, artifactType, content, annotations) {
  const blob = { type: artifactType, bytes: Buffer.from(content) };
  return manifest([blob], EMPTY, { artifactType, subject: described(subject.manifest), annotations });
}

/** One name for images of several platforms. */
export function index(images) {
  const body = { schemaVersion: 2, mediaType: INDEX, manifests: images.map((one) => ({ ...described(one.manifest), platform: one.platform })) };
  return { children: images, blobs: [], manifest: { type: INDEX, bytes: Buffer.from(JSON.stringify(body)) } };
}

function manifest(layers, config, fields, platform) {
  const body = { schemaVersion: 2, mediaType: MANIFEST, ...fields, config: described(config), layers: layers.map(described) };
  return { blobs: [config, ...layers], manifest: { type: MANIFEST, bytes: Buffer.from(JSON.stringify(body)) }, platform };
}

/** A registry as one person uses it. */
export class Registry {
  #known = new Set();

  constructor(url, who) {
    Object.assign(this, { url, who });
  }

  async #ask(repository, method, place, { body, type, accept } = {}) {
    const scope = `repository:${repository}:pull,push`;
    const service = new URL(this.url).host;
    const given = await fetch(`${this.url}/token?service=${encodeURIComponent(service)}&scope=${encodeURIComponent(scope)}`, {
      headers: { authorization: basic(this.who) },
    });
    const { token } = await given.json();
    const url = new URL(place, `${this.url}/v2/${repository}/`);
    const answer = await fetch(url, {
      method,
      body,
      headers: { authorization: `Bearer ${token}`, ...(type && { 'content-type': type }), ...(accept && { accept }) },
    });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async #blob(repository, { bytes }) {
    const name = `${repository} ${digestOf(bytes)}`;
    if (this.#known.has(name)) return;
    const begun = await this.#ask(repository, 'POST', 'blobs/uploads/');
    const place = new URL(begun.headers.get('location'), this.url);
    place.searchParams.set('digest', digestOf(bytes));
    await this.#ask(repository, 'PUT', place, { body: bytes, type: 'application/octet-stream' });
    this.#known.add(name);
  }

  /** Pushes what was made; by its digest where there is no tag. Gives the digest. */
  async push(repository, what, tag) {
    for (const child of what.children ?? []) await this.push(repository, child);
    for (const blob of what.blobs) await this.#blob(repository, blob);
    const digest = digestOf(what.manifest.bytes);
    const { type, bytes } = what.manifest;
    await this.#ask(repository, 'PUT', `manifests/${tag ?? digest}`, { body: bytes, type });
    return digest;
  }

  /** Pulls the way clients do, so that it is counted. */
  async pull(repository, reference) {
    const accept = [MANIFEST, INDEX].join(', ');
    const found = await (await this.#ask(repository, 'GET', `manifests/${reference}`, { accept })).json();
    // Of an index a client takes the image of its own platform: that is what counts as a pull of the repository.
    if (found.manifests) await this.#ask(repository, 'GET', `manifests/${found.manifests[0].digest}`, { accept });
  }
}
