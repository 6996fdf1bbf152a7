import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import {
  configMaps,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  services,
} from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../src/kube/resource.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import {
  importerPodName,
  primeClaimName,
  proxyCertificatesName,
  scratchClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  uploadPodName,
  uploadServiceName,
} from '../../src/protocol/object-names.ts';
import { run } from '../cluster/commands.ts';
import { type ClaimOptions, conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { until } from '../support/until.ts';
import { podWithVolume } from '../support/volume-content.ts';
import { startWebServer, webPath, type WebServer } from '../support/web-server.ts';
import { claimsWith, makeMarked, MARKED_SIZE } from './support/marked-volumes.ts';
import { NamespaceRecorder } from './support/namespace-recorder.ts';
import { useSuite } from './support/suite.ts';
import { useTenants } from './support/tenants.ts';

const VICTIMS = 'victims-data-92c0';
const OWN = 'own-data-92c0';
const BIND_NOW = 'cdi.kubevirt.io/storage.bind.immediate.requested';
const direct = { 'cdi.kubevirt.io/storage.usePopulator': 'false' };
const DELETION_MILLISECONDS = 15_000;

describe('objects with the names that the controllers use', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const tenants = useTenants(suite);
  let recorder: NamespaceRecorder;
  let victimsVolume = '';

  const secret = (): ObjectKey => ({ namespace: tenants.victim, name: 'secret' });
  const inRealm = (name: string): ObjectKey => ({ namespace: tenants.realm, name });
  const inOffice = (name: string): ObjectKey => ({ namespace: tenants.office, name });
  const uidOf = async (key: ObjectKey) => {
    const claim = await until(suite.client, persistentVolumeClaims, key, 'it is there', (found) => found);
    return claim.metadata?.uid ?? '';
  };
  const untilInTheWay = (key: ObjectKey, name: string) =>
    until(suite.client, dataVolumes, key, `it says that ${name} is in the way`, (object) => {
      const running = conditionOf(object, 'Running');
      return running?.reason === 'ErrResourceExists' && running.message?.includes(`/${name}"`) && object;
    });

  before(async () => {
    const storageClassName = suite.classes.standard;
    await makeMarked(suite, secret(), { storageClassName, marker: VICTIMS });
    await makeMarked(suite, inRealm('own'), { storageClassName, marker: OWN });
    await makeMarked(suite, inOffice('own'), { storageClassName, marker: OWN });
    const claim = await suite.client.get(persistentVolumeClaims, secret());
    victimsVolume = claim?.spec?.volumeName ?? '';
    recorder = new NamespaceRecorder(tenants.victim);
    await recorder.start(suite.client);
  });

  after(async () => recorder?.stop());

  describe("do not get a namespace's administrator the volume of another namespace", () => {
    interface Planted {
      readonly nameOf: (uid: string) => string;
      readonly source: () => DataVolumeSpec['source'];
      /** A snapshot instead of a claim. */
      readonly snapshot?: true;
    }
    const planted: Record<string, Planted> = {
      'the working claim of an import': { nameOf: primeClaimName, source: () => ({ blank: {} }) },
      'the working claim of a clone': { nameOf: temporaryClaimName, source: () => ({ pvc: inRealm('own') }) },
      'the snapshot of a clone': {
        nameOf: temporarySnapshotName,
        source: () => ({ pvc: inRealm('own') }),
        snapshot: true,
      },
    };

    for (const [title, { nameOf, source, snapshot }] of Object.entries(planted))
      it(title, async function () {
        const { namespaceAdmin } = tenants;
        const storageClassName = suite.classes.firstConsumer;
        if (!storageClassName) this.skip();
        const key = inRealm(title.replaceAll(' ', '-'));
        await namespaceAdmin.create(dataVolumes, dataVolume(key, source(), { storageClassName, size: MARKED_SIZE }));
        const name = nameOf(await uidOf(key));
        await (snapshot ? plantSnapshot(inRealm(name)) : plantClaim(inRealm(name)));
        // Only now may it be filled.
        const annotations = { [BIND_NOW]: 'true' };
        await namespaceAdmin.mergePatch(persistentVolumeClaims, key, { metadata: { annotations } });
        await untilInTheWay(key, name);
        const volume = await suite.client.get(persistentVolumes, { namespace: '', name: victimsVolume });
        expect(volume?.spec?.claimRef).to.include(secret());
        await namespaceAdmin.delete(snapshot ? volumeSnapshots : (persistentVolumeClaims as Resource<KubeObject>), {
          ...inRealm(name),
        });
        await untilSucceeded(suite.client, key);
      });

    async function plantClaim(key: ObjectKey): Promise<void> {
      const { namespaceAdmin } = tenants;
      const claim: PersistentVolumeClaim = {
        metadata: { ...key },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: suite.classes.standard,
          volumeName: victimsVolume,
          resources: { requests: { storage: MARKED_SIZE } },
        },
      };
      await namespaceAdmin.create(persistentVolumeClaims, claim);
      const bound = { status: { phase: 'Bound', capacity: { storage: MARKED_SIZE }, accessModes: ['ReadWriteOnce'] } };
      await namespaceAdmin.mergePatch(persistentVolumeClaims, key, bound, { subresource: 'status' });
    }

    async function plantSnapshot(key: ObjectKey): Promise<void> {
      const source = { persistentVolumeClaimName: 'own' };
      await tenants.namespaceAdmin.create(volumeSnapshots, { metadata: { ...key }, spec: { source } });
    }
  });

  describe("are nobody else's to delete", () => {
    const claim = (name: string): PersistentVolumeClaim => ({
      metadata: inOffice(name),
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: MARKED_SIZE } },
      },
    });
    /** It only reads: a writer would be waited for by clones. */
    const pod = (name: string) =>
      podWithVolume(suite, inOffice(name), { claim: 'own', block: false, command: ['sleep', '600'] });
    const service = (name: string) => ({
      metadata: inOffice(name),
      spec: { selector: { app: 'other' }, ports: [{ port: 80 }] },
    });
    const importSource = () => ({ http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } });
    const make = (
      name: string,
      source: DataVolumeSpec['source'],
      options: ClaimOptions = {},
      user = tenants.dataVolumeUser,
    ) =>
      user.create(
        dataVolumes,
        dataVolume(inOffice(name), source, {
          storageClassName: suite.classes.standard,
          annotations: direct,
          ...options,
        }),
      );

    /** Makes the object of somebody else, and resolves to what finds out whether it is still that. */
    async function foreign<T extends KubeObject>(resource: Resource<T>, object: T): Promise<() => Promise<void>> {
      const { metadata } = await suite.client.create(resource, object);
      return async () => {
        const found = await suite.client.get(resource, { ...inOffice(metadata?.name ?? '') });
        expect(found?.metadata?.uid, `uid of ${metadata?.name}`).to.equal(metadata?.uid);
        expect(found?.metadata, metadata?.name).to.not.have.any.keys('deletionTimestamp', 'ownerReferences');
      };
    }

    it('an import that needs none of them leaves them alone, also when it is looked at again', async () => {
      const survives = await Promise.all([
        foreign(persistentVolumeClaims, claim(scratchClaimName('imported'))),
        foreign(configMaps, { metadata: inOffice(proxyCertificatesName('imported')), data: { 'ca.crt': 'mine' } }),
        foreign(pods, pod(uploadPodName('imported'))),
        foreign(services, service(uploadServiceName('imported'))),
      ]);
      await make('imported', importSource());
      await untilSucceeded(suite.client, inOffice('imported'));
      await suite.client.mergePatch(persistentVolumeClaims, inOffice('imported'), {
        metadata: { labels: { looked: 'at' } },
      });
      // The controllers have been past it when they are past what came later.
      await make('later', importSource());
      await untilSucceeded(suite.client, inOffice('later'));
      for (const check of survives) await check();
    });

    it('a copy that needs none of them leaves them alone', async () => {
      const survives = await Promise.all([
        foreign(persistentVolumeClaims, claim(scratchClaimName('copied'))),
        foreign(pods, pod(importerPodName('copied'))),
      ]);
      await make('copied', { pvc: inOffice('own') }, { size: MARKED_SIZE });
      await untilSucceeded(suite.client, inOffice('copied'));
      for (const check of survives) await check();
    });

    const needed: Record<string, (name: string) => [Resource<KubeObject>, KubeObject]> = {
      "an importer's pod": (name) => [pods, pod(importerPodName(name))],
      "a copy's pod": (name) => [pods, pod(uploadPodName(name))],
      'a Service of a copy from another namespace': (name) => [services, service(uploadServiceName(name))],
    };
    for (const [what, objectOf] of Object.entries(needed))
      it(`${what} that is not the controllers' is waited for, and the DataVolume says so`, async () => {
        const name = what.toLowerCase().replaceAll(/[^a-z]+/g, '-');
        const [resource, object] = objectOf(name);
        const check = await foreign(resource, { ...object });
        const size = MARKED_SIZE;
        if (what.includes('Service')) await make(name, { pvc: inRealm('own') }, { size }, suite.client);
        else if (what.includes('copy')) await make(name, { pvc: inOffice('own') }, { size });
        else await make(name, importSource());
        await untilInTheWay(inOffice(name), object.metadata?.name ?? '');
        await check();
        await suite.client.delete(resource, inOffice(object.metadata?.name ?? ''), { gracePeriodSeconds: 0 });
        await untilSucceeded(suite.client, inOffice(name));
      });

    it("a scratch claim that is not the controllers' is waited for, and the DataVolume says so", async () => {
      const server = await serverOfScratch();
      try {
        const check = await foreign(persistentVolumeClaims, claim(scratchClaimName('scratching')));
        await make('scratching', { http: { url: `${server.url}${webPath.withoutRanges}/disk.qed` } });
        await untilInTheWay(inOffice('scratching'), scratchClaimName('scratching'));
        await check();
        await suite.client.delete(persistentVolumeClaims, inOffice(scratchClaimName('scratching')));
        await untilSucceeded(suite.client, inOffice('scratching'));
      } finally {
        await server.stop();
      }
    });

    /** Has an image that cannot be decoded as it comes, and no ranges. */
    async function serverOfScratch(): Promise<WebServer> {
      const root = join(suite.state, 'scratch');
      await mkdir(root, { recursive: true });
      await run('qemu-img', ['create', '-q', '-f', 'qed', join(root, 'disk.qed'), '8M']);
      return startWebServer({ address: suite.hostAddress, state: suite.state, root });
    }
  });

  it('hold up no deletion from a third namespace', async () => {
    const { namespaceAdmin, tenant, home } = tenants;
    const key = { namespace: home, name: 'to-be-deleted' };
    await tenant.create(
      dataVolumes,
      dataVolume(key, { pvc: { namespace: home, name: 'not-there' } }, { storageClassName: suite.classes.standard }),
    );
    await until(suite.client, dataVolumes, key, 'it waits for its source', (object) => {
      return conditionOf(object, 'Running')?.reason === 'CloneWithoutSource';
    });
    const uid = await uidOf(key);
    const metadata = (name: string) => ({ ...inRealm(name), finalizers: ['example.com/stays'] });
    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: suite.classes.standard,
      resources: { requests: { storage: MARKED_SIZE } },
    };
    const claim = { metadata: metadata(temporaryClaimName(uid)), spec };
    const snapshot = {
      metadata: metadata(temporarySnapshotName(uid)),
      spec: { source: { persistentVolumeClaimName: 'own' } },
    };
    await namespaceAdmin.create(persistentVolumeClaims, claim);
    await namespaceAdmin.create(volumeSnapshots, snapshot);
    try {
      await tenant.delete(dataVolumes, key);
      const isGone = (found: KubeObject | undefined) => found === undefined;
      await until(suite.client, persistentVolumeClaims, key, 'it is gone', isGone, DELETION_MILLISECONDS);
    } finally {
      const free = { metadata: { finalizers: null } };
      await namespaceAdmin.mergePatch(persistentVolumeClaims, inRealm(temporaryClaimName(uid)), free);
      await namespaceAdmin.mergePatch(volumeSnapshots, inRealm(temporarySnapshotName(uid)), free);
    }
  });

  describe('and nothing became', () => {
    it('of what was in the other namespace', async () => {
      expect(recorder.appeared.map(({ metadata }) => metadata?.name)).to.deep.equal([]);
      expect(recorder.changes).to.deep.equal([]);
      expect(await claimsWith(suite, tenants.realm, VICTIMS)).to.deep.equal([]);
      expect(await claimsWith(suite, tenants.victim, VICTIMS)).to.deep.equal(['secret']);
    });
  });
});
