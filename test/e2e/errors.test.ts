import { expect } from 'chai';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, pods, secrets } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { importerPodName, primeClaimName } from '../../src/protocol/object-names.ts';
import { type ClaimOptions, conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { startWebServer, webCredentials, webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { Started } from './support/started.ts';
import { type Suite, useSuite } from './support/suite.ts';

/** From the end of the importer, which ends when it knows the cause. */
const SECONDS_TO_TELL = 10;
const wrongPassword = 'not-the-password';

interface PermanentError {
  readonly source: (suite: Suite) => DataVolumeSpec['source'];
  readonly claim?: ClaimOptions;
  /** What the Running condition must tell. */
  readonly reason: string;
  readonly message: RegExp;
}

const http =
  (path: string, file: string, more: object = {}) =>
  ({ web }: Suite) => ({ http: { url: `${web.url}${path}/${file}`, ...more } });

const permanentErrors: Record<string, PermanentError> = {
  'an unknown host': {
    source: () => ({ http: { url: 'http://no-such-host.example.com/disk.qcow2' } }),
    reason: 'HostNotFound',
    message: /no-such-host\.example\.com/,
  },
  'a file that is not there': {
    source: http(webPath.plain, 'no-such-disk.qcow2'),
    reason: 'NotFound',
    message: /404/,
  },
  'missing credentials': {
    source: http(webPath.private, diskFile.qcow2),
    reason: 'Unauthorized',
    message: /401/,
  },
  'wrong credentials': {
    source: http(webPath.private, diskFile.qcow2, { secretRef: 'wrong' }),
    reason: 'Unauthorized',
    message: /401/,
  },
  'a wrong checksum': {
    source: http(webPath.plain, diskFile.qcow2, { checksum: `sha256:${'0'.repeat(64)}` }),
    reason: 'ChecksumMismatch',
    message: /0000/,
  },
  'what is not an image': {
    source: http(webPath.plain, diskFile.page),
    reason: 'NotAnImage',
    message: /page\.html/,
  },
  'an image that is too large for the claim': {
    source: http(webPath.plain, diskFile.large),
    reason: 'ImageTooLarge',
    message: /100/,
  },
  'an image that is too large for a Block volume': {
    source: http(webPath.plain, diskFile.large),
    claim: { volumeMode: 'Block' },
    reason: 'ImageTooLarge',
    message: /100/,
  },
  'a certificate that nobody trusts': {
    source: ({ web }) => ({ http: { url: `${web.httpsUrl}${webPath.plain}/${diskFile.qcow2}` } }),
    reason: 'CertificateUntrusted',
    message: /certConfigMap/,
  },
  'an image that is not in the registry': {
    source: ({ registry }) => ({ registry: { url: `docker://${registry.host}/golden/none:latest` } }),
    reason: 'NotFound',
    message: /golden\/none/,
  },
};

describe('errors', () => {
  const suite = useSuite();

  describe('that are permanent', () => {
    const started = new Started<{ object: DataVolume; seconds: number }>();
    const nameOf = (title: string) => title.replaceAll(/[^a-z]+/gi, '-').toLowerCase();

    before(async () => {
      const { client, namespace, key } = suite;
      await client.create(secrets, {
        metadata: { namespace, name: 'wrong' },
        stringData: { accessKeyId: webCredentials.user, secretKey: wrongPassword },
      });
      for (const [title, { source, claim }] of Object.entries(permanentErrors)) {
        started.start(title, async () => {
          const options = { storageClassName: suite.classes.standard, ...claim };
          await client.create(dataVolumes, dataVolume(key(nameOf(title)), source(suite), options));
          return untilFailed(key(nameOf(title)));
        });
      }
    });

    for (const [title, { reason, message }] of Object.entries(permanentErrors)) {
      it(`tells of ${title}, once and soon`, async () => {
        const { object, seconds } = await started.outcome(title);
        const running = conditionOf(object, 'Running');
        expect(running).to.include({ status: 'False', reason });
        expect(running?.message).to.match(message);
        expect(object.status).to.include({ phase: 'Failed', restartCount: 0 });
        expect(seconds, 'seconds from the end of the importer').to.be.at.most(SECONDS_TO_TELL);
        const warnings = await eventually('the failure is an event', async () => {
          const all = (await eventsOf(suite.client, object)).filter(({ type }) => type === 'Warning');
          return all.length > 0 && all;
        });
        expect(warnings.map((event) => ({ reason: event.reason, message: event.message }))).to.deep.equal([
          { reason: 'ImportFailed', message: running?.message },
        ]);
        expect(warnings[0]?.count ?? 1).to.equal(1);
      });
    }

    it('are not tried again', async () => {
      await Promise.all(Object.keys(permanentErrors).map((title) => started.outcome(title)));
      const importers = await suite.client.list(pods, {
        namespace: suite.namespace,
        labelSelector: 'cdi.kubevirt.io=importer',
      });
      const restarts = importers.flatMap(
        (pod) => pod.status?.containerStatuses?.map(({ restartCount }) => restartCount) ?? [],
      );
      expect(restarts.every((count) => count === 0)).to.be.true;
      for (const title of Object.keys(permanentErrors)) {
        const object = await suite.client.get(dataVolumes, suite.key(nameOf(title)));
        expect(object?.status, title).to.include({ phase: 'Failed', restartCount: 0 });
      }
    });

    it('leave no secrets in what is told', async () => {
      const { object } = await started.outcome('wrong credentials');
      const told = JSON.stringify([object, await eventsOf(suite.client, object)]);
      expect(told).to.not.contain(wrongPassword).and.not.contain(webCredentials.user);
    });
  });

  /** Resolves when it has failed, to it and the seconds since its importer ended. */
  async function untilFailed(key: ObjectKey): Promise<{ object: DataVolume; seconds: number }> {
    const { client } = suite;
    const { uid } = await until(client, persistentVolumeClaims, key, 'its claim is there', (claim) => claim?.metadata);
    const pod = { namespace: key.namespace, name: importerPodName(primeClaimName(uid ?? '')) };
    const finishedAt = await until(client, pods, pod, 'the importer has ended', (found) => {
      return found?.status?.containerStatuses?.[0]?.state?.terminated?.finishedAt;
    });
    const object = await until(client, dataVolumes, key, 'it fails', (found) =>
      found?.status?.phase === 'Failed' ? found : undefined,
    );
    return { object, seconds: (Date.now() - new Date(finishedAt).getTime()) / 1000 };
  }

  describe('that pass', () => {
    const create = (name: string, url: string, more: object = {}) =>
      suite.client.create(
        dataVolumes,
        dataVolume(suite.key(name), { http: { url, ...more } }, { storageClassName: suite.classes.standard }),
      );
    const untilRetrying = (name: string, message: RegExp) =>
      until(suite.client, dataVolumes, suite.key(name), 'it tells that it tries again', (object) => {
        expect(object?.status?.phase).to.not.equal('Failed');
        const running = conditionOf(object, 'Running');
        return running && message.test(running.message ?? '') && running;
      });
    const expectContent = async (name: string) => {
      const { sha256 } = await readVolume(suite, suite.key(name), suite.disk.virtualSize);
      expect(sha256).to.equal(suite.disk.sha256);
    };

    it('a connection that is refused is tried again, until a server is there', async () => {
      const [port = 0] = await freePorts(1);
      const address = suite.hostAddress;
      const name = 'refused';
      await create(name, `http://${address}:${port}${webPath.plain}/${diskFile.qcow2}`);
      await untilRetrying(name, /refused/i);
      const server = await startWebServer({ address, port, state: suite.state, root: suite.disk.folder });
      try {
        const object = await untilSucceeded(suite.client, suite.key(name));
        expect(conditionOf(object, 'Running')?.message).to.equal('Import Complete');
      } finally {
        await server.stop();
      }
      await expectContent(name);
    });

    it('a server that is not available (503) is tried again, until it is', async () => {
      const name = 'unavailable';
      await suite.web.setUnavailable(true);
      try {
        await create(name, `${suite.web.url}${webPath.unavailable}/${diskFile.qcow2}`);
        await untilRetrying(name, /503/);
      } finally {
        await suite.web.setUnavailable(false);
      }
      await untilSucceeded(suite.client, suite.key(name));
      await expectContent(name);
    });

    it('a connection that is cut is taken up again where it was', async () => {
      const name = 'cut';
      const address = suite.hostAddress;
      const proxy = await TcpProxy.start(suite.web.port, address);
      try {
        await create(name, `http://${address}:${proxy.port}${webPath.slow}/${diskFile.qcow2}`);
        for (const bytes of [4e6, 8e6]) {
          await until(suite.client, dataVolumes, suite.key(name), `${bytes} bytes have come`, () => {
            return proxy.received > bytes;
          });
          proxy.cut();
        }
        const object = await untilSucceeded(suite.client, suite.key(name));
        expect(object.status?.restartCount).to.equal(0);
        expect(proxy.received, 'bytes sent in all').to.be.below(30e6);
      } finally {
        await proxy.close();
      }
      await expectContent(name);
    });

    it('a missing Secret is waited for, and the import starts when it is created', async () => {
      const name = 'secret';
      await create(name, `${suite.web.url}${webPath.private}/${diskFile.qcow2}`, { secretRef: 'later' });
      const running = await untilRetrying(name, /Secret "later" does not exist/);
      expect(running.reason).to.equal('SecretNotFound');
      await suite.client.create(secrets, {
        metadata: { namespace: suite.namespace, name: 'later' },
        stringData: { accessKeyId: webCredentials.user, secretKey: webCredentials.password },
      });
      const object = await untilSucceeded(suite.client, suite.key(name));
      const warnings = (await eventsOf(suite.client, object)).filter(({ type }) => type === 'Warning');
      expect(warnings.map(({ reason }) => reason)).to.deep.equal(['SecretNotFound']);
      await expectContent(name);
    });

    it('a missing StorageClass is told, with those that there are', async () => {
      const name = 'class';
      const claim = { storageClassName: 'no-such-class' };
      const source = { http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } };
      await suite.client.create(dataVolumes, dataVolume(suite.key(name), source, claim));
      const running = await untilRetrying(name, /"no-such-class" does not exist/);
      expect(running.message).to.contain(suite.classes.standard);
    });

    it('a missing source of a clone is told, and the clone starts when it is there', async () => {
      const source = suite.key('source-that-comes-later');
      const key = suite.key('clone-of-what-comes-later');
      const claim = { storageClassName: suite.classes.standard };
      await suite.client.create(dataVolumes, dataVolume(key, { pvc: source }, claim));
      await until(suite.client, dataVolumes, key, 'it tells what is missing', (object) =>
        conditionOf(object, 'Running')?.message?.includes(source.name),
      );
      const { client } = suite;
      await client.create(dataVolumes, dataVolume(source, { blank: {} }, claim));
      await untilSucceeded(client, key);
    });
  });
});
