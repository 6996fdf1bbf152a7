import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { DataVolumeSource } from '../../../../src/api/source-fields.ts';
import { type PollSettings, SourcePoller } from '../../../../src/controllers/image-polls/source-poller.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';

const settings: PollSettings = {
  insecureRegistries: [],
  hasFeatureGate: () => false,
  importProxy: {},
  namespace: 'cdi',
};
const noObjects = {
  async get<T extends KubeObject>(_resource: Resource<T>): Promise<T | undefined> {
    return undefined;
  },
};
const never = new AbortController().signal;
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a poll', () => {
  const poller = new SourcePoller({ client: noObjects, config: settings });
  const poll = (source: DataVolumeSource): Promise<unknown> => failureOf(poller.poll('team', source, undefined, never));

  it('connects to no loopback and no link-local address, by whatever name', async () => {
    const urls = [
      'http://127.0.0.1/a',
      'http://localhost/a',
      'http://[::1]/a',
      'http://169.254.169.254/latest/meta-data',
    ];
    for (const url of urls) {
      const failure = await poll({ http: { url } });
      expect(failure, url).to.include({ code: 'AddressRefused', permanent: true });
      expect(failure)
        .to.have.property('message')
        .that.matches(/is at a (loopback|link-local) address/);
    }
    expect(await poll({ registry: { url: 'docker://localhost:5000/disk' } })).to.include({ code: 'AddressRefused' });
    expect(await poll({ s3: { url: 'http://127.0.0.1/bucket/disk' } })).to.include({ code: 'AddressRefused' });
  });

  it('says which source has no versions', async () => {
    expect(await poll({ blank: {} }))
      .to.include({ code: 'InvalidRequest' })
      .and.have.property('message')
      .that.includes('a source blank has no versions');
    expect(await poll({ registry: { url: 'oci-archive:/disk.tar' } })).to.include({ code: 'InvalidRequest' });
  });

  it('says which Secret or ConfigMap is missing, and waits for it', async () => {
    expect(await poll({ http: { url: 'http://server.example/a', secretRef: 'login' } }))
      .to.include({ name: 'WaitingError', reason: 'SecretNotFound' })
      .and.have.property('message')
      .that.includes('Secret "login" does not exist in namespace "team"');
    expect(await poll({ s3: { url: 'http://server.example/a/b', certConfigMap: 'authority' } })).to.include({
      reason: 'ConfigMapNotFound',
    });
  });

  it('says that a ConfigMap holds no certificates', async () => {
    const client = { get: async <T extends KubeObject>() => ({ data: { key: 'text' } }) as unknown as T };
    const source = { http: { url: 'https://server.example/a', certConfigMap: 'authority' } };
    expect(await failureOf(new SourcePoller({ client, config: settings }).poll('team', source, undefined, never)))
      .to.include({ code: 'InvalidRequest' })
      .and.have.property('message')
      .that.includes('no PEM certificate in ConfigMap "authority" in namespace "team"');
  });

  it('says what there is instead of ImageStreams where the cluster has none', async () => {
    expect(await poll({ registry: { imageStream: 'fedora:41', pullMethod: 'node' } }))
      .to.include({ code: 'NotFound' })
      .and.have.property('message')
      .that.includes('ImageStream "fedora" in namespace "team"')
      .and.includes('which only OpenShift has');
  });
});

describe('polls', () => {
  it('are two for one host at once, and sixteen in all, and those that are given up end', async () => {
    const held: (() => void)[] = [];
    const asked = Promise.withResolvers<void>();
    const server = createServer((_, response) => {
      held.push(() => response.writeHead(200, { etag: '"a"' }).end());
      if (held.length === 2) asked.resolve();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const poller = new SourcePoller({ client: noObjects, config: settings, refusedNetworks: [] });
    const giveUp = new AbortController();
    const poll = (signal: AbortSignal) =>
      failureOf(poller.poll('team', { http: { url: `http://127.0.0.1:${port}/a` } }, undefined, signal));
    try {
      const [first, second, third] = [poll(never), poll(giveUp.signal), poll(giveUp.signal)];
      await asked.promise;
      const reason = new Error('given up');
      giveUp.abort(reason);
      expect(await Promise.all([second, third])).to.deep.equal([reason, reason]);
      expect(held).to.have.lengthOf(2);
      for (const answer of held) answer();
      expect(await first).to.equal(undefined);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('end in time, with what to look at', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const options = { client: noObjects, config: settings, refusedNetworks: [], longestPoll: 50 } as const;
      const source = { http: { url: `http://127.0.0.1:${port}/a` } };
      expect(await failureOf(new SourcePoller(options).poll('team', source, undefined, never)))
        .to.include({ code: 'SourceStalled', permanent: false })
        .and.have.property('message')
        .that.includes(`127.0.0.1:${port} has not told within 0.05 s`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
