import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createCertificate, type ServerCertificate } from '../support/certificates.ts';
import { createPoller } from '../support/image-poller.ts';
import type { Server } from '../support/processes.ts';
import { pushImage, startRegistry, writeImageLayout } from '../support/registry.ts';
import { type RegistryTokenServer, startRegistryTokenServer } from '../support/registry-token-server.ts';

describe('polls of a registry', () => {
  const credentials = { user: 'someone', password: 'pass word' };
  const secret = { accessKeyId: credentials.user, secretKey: credentials.password };
  let directory: string;
  let open: Server;
  let closed: Server;
  let secure: Server;
  let byToken: Server;
  let tokens: RegistryTokenServer;
  let certificate: ServerCertificate;

  /** Makes an index of two platforms with that content. Returns its layout and its digest. */
  const layoutOf = async (content: string): Promise<{ layout: string; digest: string }> => {
    const root = join(directory, `root-${content}`);
    await mkdir(join(root, 'disk'), { recursive: true });
    await writeFile(join(root, 'disk', 'disk.img'), content);
    const layers = [{ root, compression: 'gzip' as const }];
    const images = ['amd64', 'arm64'].map((architecture) => ({ architecture, layers }));
    const layout = await writeImageLayout(directory, content, images);
    const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    return { layout, digest: manifests[0]?.digest ?? '' };
  };
  const push = async (content: string, { port }: Server, options: object = {}): Promise<string> => {
    const { layout, digest } = await layoutOf(content);
    await pushImage(layout, port, 'golden/disk:v1', { more: ['--preserve-digests'], ...options });
    return digest;
  };
  const urlOf = ({ port }: Server, name = 'golden/disk:v1') => `docker://127.0.0.1:${port}/${name}`;
  const insecure = (...servers: Server[]) => ({ insecureRegistries: servers.map(({ port }) => `127.0.0.1:${port}`) });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-polls-'));
    certificate = await createCertificate(directory);
    tokens = await startRegistryTokenServer(directory, credentials);
    [open, closed, secure, byToken] = await Promise.all([
      startRegistry({ directory }),
      startRegistry({ directory, credentials }),
      startRegistry({ directory, tls: certificate }),
      startRegistry({ directory, tokens: tokens.forRegistry }),
    ]);
  });

  after(async () => {
    await Promise.all([open.stop(), closed.stop(), secure.stop(), byToken.stop(), tokens.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('find the digest of what the tag names, the index where there are several platforms, until another is pushed', async () => {
    const poller = createPoller({}, insecure(open));
    const source = { registry: { url: urlOf(open) } };
    const first = await push('one', open);
    const found = await poller.poll(source);
    expect(found).to.include({ digest: first, unchanged: false });
    expect(await poller.poll(source, found)).to.include({ digest: first, unchanged: true });
    const second = await push('two', open);
    expect(await poller.poll(source, found)).to.include({ digest: second, unchanged: false });
    const node = { registry: { url: urlOf(open), pullMethod: 'node' as const } };
    expect(await poller.poll(node)).to.include({ digest: second });
    const fixed = { registry: { url: `${urlOf(open, 'golden/disk')}@${first}` } };
    expect(await poller.poll(fixed)).to.include({ digest: first });
  });

  it('log in with a password, or with what docker login has stored', async () => {
    const digest = await push('one', closed, { credentials });
    const auth = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    const auths = { [`127.0.0.1:${closed.port}`]: { auth } };
    const objects = { login: secret, docker: { '.dockerconfigjson': JSON.stringify({ auths }) } };
    const poller = createPoller(objects, insecure(closed));
    for (const secretRef of ['login', 'docker']) {
      const source = { registry: { url: urlOf(closed), secretRef } };
      expect(await poller.poll(source), secretRef).to.include({ digest });
    }
    expect(await poller.failureOf({ registry: { url: urlOf(closed) } })).to.match(
      /^Unauthorized: .* answered 401 Unauthorized: check the credentials, accessKeyId and secretKey of the Secret in secretRef$/,
    );
  });

  it('get a token where the registry says', async () => {
    const digest = await push('one', byToken, { credentials });
    const poller = createPoller({ login: secret }, insecure(byToken));
    expect(await poller.poll({ registry: { url: urlOf(byToken), secretRef: 'login' } })).to.include({ digest });
    expect(await poller.failureOf({ registry: { url: urlOf(byToken) } })).to.match(/^Unauthorized: /);
  });

  it('trust the authority that is given, and no other', async () => {
    const digest = await push('one', secure);
    const poller = createPoller({ authority: { 'ca.crt': await readFile(certificate.authority, 'utf8') } });
    expect(await poller.poll({ registry: { url: urlOf(secure), certConfigMap: 'authority' } })).to.include({ digest });
    expect(await poller.failureOf({ registry: { url: urlOf(secure) } })).to.match(
      /^CertificateUntrusted: .* name that in certConfigMap/,
    );
  });

  it('say what is wrong: no such image, plain http, nobody there', async () => {
    const poller = createPoller({}, insecure(open));
    expect(await poller.failureOf({ registry: { url: urlOf(open, 'golden/none:v1') } })).to.equal(
      `NotFound: ${urlOf(open, 'golden/none:v1')} is not in the registry: check its name and tag`,
    );
    expect(await createPoller().failureOf({ registry: { url: urlOf(open) } })).to.match(
      /^TlsFailed: .* has to be listed in insecureRegistries of the CDI object$/,
    );
    expect(await poller.failureOf({ registry: { url: 'docker://127.0.0.1:9/a' } })).to.match(
      /^ConnectionRefused: .* is the server of .* running\?$/,
    );
  });
});
