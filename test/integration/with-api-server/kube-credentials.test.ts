import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig, User } from '@kubernetes/client-node';
import { expect } from 'chai';
import { configMaps } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import { Authority } from '../../cluster/pki.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { rejection } from '../../support/rejection.ts';

describe('credentials against a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let folder: string;
  let authority: Authority;
  let clients: KubeClient[];

  before(kubernetesIsBuilt);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'credentials-'));
    authority = await Authority.create('clients');
    await writeFile(join(folder, 'ca.crt'), authority.certificate);
    server = await startApiServer({ args: [`--client-ca-file=${join(folder, 'ca.crt')}`] });
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => (clients = []));
  afterEach(async () => Promise.all(clients.map((client) => client.close())));

  function clientOf(user: Omit<User, 'name'>): KubeClient {
    const kubeConfig: KubeConfig = server.kubeConfig();
    kubeConfig.loadFromClusterAndUser(kubeConfig.getCurrentCluster()!, { ...user, name: 'user' });
    const client = new KubeClient(kubeConfig);
    clients.push(client);
    return client;
  }

  const works = async (client: KubeClient) => expect(await client.list(configMaps)).to.be.an('array');
  const isRefused = async (client: KubeClient) =>
    expect(await rejection(client.list(configMaps)))
      .to.be.instanceOf(ApiError)
      .with.property('status', 401);

  it('reads a token file again when the server does not accept what it held', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'expired');
    // As KubeConfig.loadFromCluster has it for a pod's service account.
    const client = clientOf({ authProvider: { name: 'tokenFile', config: { tokenFile } } });
    await isRefused(client);
    await writeFile(tokenFile, server.adminToken);
    await works(client);
  });

  it('asks a plugin again when the server does not accept what it said', async () => {
    const plugin = join(folder, 'plugin');
    const say = async (token: string) => {
      const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } };
      await writeFile(plugin, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
      await chmod(plugin, 0o755);
    };
    await say('expired');
    const client = clientOf({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin } });
    await isRefused(client);
    await say(server.adminToken);
    await works(client);
  });

  it('presents a client certificate, and a new one when the files change', async () => {
    const certFile = join(folder, 'client.crt');
    const keyFile = join(folder, 'client.key');
    const issue = async (by: Authority) => {
      const { certificate, key } = await by.issue({ commonName: 'person', organization: 'system:masters' });
      await writeFile(certFile, certificate);
      await writeFile(keyFile, key);
    };
    await issue(await Authority.create('unknown'));
    const client = clientOf({ certFile, keyFile });
    await isRefused(client);
    await issue(authority);
    await works(client);
  });

  it('says when the credentials cannot be read', async () => {
    const client = clientOf({ certFile: join(folder, 'missing.crt'), keyFile: join(folder, 'missing.key') });
    const error = await rejection(client.list(configMaps));
    expect((error as Error).message).to.match(/^GET \/api\/v1\/configmaps: ENOENT.*missing\.crt/);
  });

  it('does not talk to a server that it does not know', async () => {
    const kubeConfig = server.kubeConfig();
    const caData = Buffer.from(authority.certificate).toString('base64');
    kubeConfig.loadFromClusterAndUser({ ...kubeConfig.getCurrentCluster()!, caData }, kubeConfig.getCurrentUser()!);
    const client = new KubeClient(kubeConfig);
    clients.push(client);
    expect(((await rejection(client.list(configMaps))) as Error).message).to.match(/certificate/);
  });
});
