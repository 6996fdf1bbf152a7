import { expect } from 'chai';
import { stringify } from 'yaml';
import { dataSources } from '../../src/api/data-source.ts';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import { events, type PersistentVolumeClaim, persistentVolumeClaims } from '../../src/kube/builtin-resources.ts';
import { toError } from '../../src/kube/errors.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { type ClaimOptions, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { rejection } from '../support/rejection.ts';
import { until } from '../support/until.ts';
import { claimsWith, makeMarked, MARKED_SIZE } from './support/marked-volumes.ts';
import { NamespaceRecorder } from './support/namespace-recorder.ts';
import { useSuite } from './support/suite.ts';
import { useTenants } from './support/tenants.ts';

const VICTIMS = 'victims-data-7d41';
const OWN = 'own-data-7d41';
const CLONE_REQUEST = 'k8s.io/CloneRequest';
const SOURCE_NAMESPACE = 'cdi.kubevirt.io/dataSourceNamespace';
const POD_PHASE = 'cdi.kubevirt.io/storage.pod.phase';

const ways: Record<string, { readonly volumeMode: 'Filesystem' | 'Block'; readonly direct: boolean }> = {
  'a populated claim': { volumeMode: 'Filesystem', direct: false },
  'a populated Block claim': { volumeMode: 'Block', direct: false },
  'a claim that is written itself': { volumeMode: 'Filesystem', direct: true },
  'a Block claim that is written itself': { volumeMode: 'Block', direct: true },
};

describe('users without the right to clone from a namespace get nothing of it', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const tenants = useTenants(suite);
  let recorder: NamespaceRecorder;

  const volumeOf = (volumeMode: string) => volumeMode.toLowerCase();
  const secret = (volumeMode: string): ObjectKey => ({ namespace: tenants.victim, name: volumeOf(volumeMode) });
  const atHome = (name: string): ObjectKey => ({ namespace: tenants.home, name });
  const inRealm = (name: string): ObjectKey => ({ namespace: tenants.realm, name });

  before(async function () {
    const storageClassName = suite.classes.standard;
    for (const volumeMode of ['Filesystem', 'Block'] as const) {
      await Promise.all([
        makeMarked(suite, secret(volumeMode), { storageClassName, volumeMode, marker: VICTIMS }),
        makeMarked(suite, atHome(volumeOf(volumeMode)), { storageClassName, volumeMode, marker: OWN }),
      ]);
    }
    recorder = new NamespaceRecorder(tenants.victim);
    await recorder.start(suite.client);
  });

  after(async () => recorder?.stop());

  const claim = (key: ObjectKey, metadata: PersistentVolumeClaim['metadata']): PersistentVolumeClaim => ({
    metadata: { ...key, ...metadata },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: suite.classes.standard,
      resources: { requests: { storage: MARKED_SIZE } },
    },
  });
  /** A DataVolume of an own DataSource, which nobody needs a right for. */
  const ofDataSource = (key: ObjectKey, name: string, options: ClaimOptions): DataVolume => {
    const object = dataVolume(key, undefined, { ...options, size: MARKED_SIZE });
    return { ...object, spec: { ...object.spec, sourceRef: { kind: 'DataSource', name } } };
  };
  const makeDataSource = async (name: string, source: ObjectKey) => {
    await tenants.tenant.create(dataSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataSource',
      metadata: atHome(name),
      spec: { source: { pvc: source } },
    });
  };
  const refusal = async (promise: Promise<unknown>) => toError(await rejection(promise)).message;
  const mayNotClone = () => `may not clone from namespace "${tenants.victim}"`;

  for (const [title, { volumeMode, direct }] of Object.entries(ways)) {
    it(`by annotations on a DataVolume of an own DataSource, with ${title}`, async function () {
      const { tenant, victim, home } = tenants;
      const name = title.toLowerCase().replaceAll(' ', '-');
      await makeDataSource(name, atHome(volumeOf(volumeMode)));
      const annotations = {
        [CLONE_REQUEST]: `${victim}/${volumeOf(volumeMode)}`,
        [SOURCE_NAMESPACE]: victim,
        'cdi.kubevirt.io/storage.usePopulator': String(!direct),
      };
      const key = atHome(`of-${name}`);
      const storageClassName = suite.classes.standard;
      await tenant.create(dataVolumes, ofDataSource(key, name, { storageClassName, volumeMode, annotations }));
      await untilSucceeded(suite.client, key);
      const made = await suite.client.get(persistentVolumeClaims, key);
      expect(made?.metadata?.annotations).to.not.have.property(SOURCE_NAMESPACE);
      const request = direct ? `${home}/${volumeOf(volumeMode)}` : undefined;
      expect(made?.metadata?.annotations?.[CLONE_REQUEST]).to.equal(request);
      if (!direct) return;
      // A state that is taken away has the claim copied again, from where it was.
      const incomplete = { metadata: { annotations: { [POD_PHASE]: null } } };
      await tenant.mergePatch(persistentVolumeClaims, key, incomplete);
      await until(suite.client, persistentVolumeClaims, key, 'it is copied again', (found) => {
        return found?.metadata?.annotations?.[POD_PHASE] === 'Succeeded';
      });
      // On a complete claim the annotation may be anything, and must lead to nothing.
      const asVictims = { [CLONE_REQUEST]: `${victim}/${volumeOf(volumeMode)}` };
      await tenant.mergePatch(persistentVolumeClaims, key, { metadata: { annotations: asVictims } });
      expect(await refusal(tenant.mergePatch(persistentVolumeClaims, key, incomplete))).to.include(mayNotClone());
    });
  }

  it('by a DataSource, a DataVolume, or a claim that names it', async () => {
    const { tenant } = tenants;
    const source = secret('Filesystem');
    expect(await refusal(makeDataSource('of-the-victim', source))).to.include(mayNotClone());
    const openly = dataVolume(atHome('openly'), { pvc: source }, { storageClassName: suite.classes.standard });
    expect(await refusal(tenant.create(dataVolumes, openly))).to.include(mayNotClone());
    const annotations = { [CLONE_REQUEST]: `${source.namespace}/${source.name}` };
    const bare = claim(atHome('bare'), { annotations });
    expect(await refusal(tenant.create(persistentVolumeClaims, bare))).to.include(mayNotClone());
  });

  it('by the claim template of a StatefulSet, whose controller may make pods everywhere', async () => {
    const { kubectl, client } = suite;
    const owner = await client.get(dataVolumes, atHome('of-a-populated-claim'));
    const ownerReference = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      name: 'of-a-populated-claim',
      uid: owner?.metadata.uid,
      controller: true,
    };
    const { spec } = claim(atHome('template'), {});
    const template = {
      metadata: {
        name: 'data',
        annotations: { [CLONE_REQUEST]: `${tenants.victim}/filesystem` },
        ownerReferences: [ownerReference],
      },
      spec,
    };
    const container = { name: 'reader', image: suite.image, command: ['sleep', '600'] };
    const labels = { app: 'reader' };
    await kubectl.create(
      stringify({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: atHome('reader'),
        spec: {
          selector: { matchLabels: labels },
          serviceName: 'reader',
          template: { metadata: { labels }, spec: { containers: [container] } },
          volumeClaimTemplates: [template],
        },
      }),
      { user: 'tenant' },
    );
    const told = await eventually("the StatefulSet's controller says why it made no claim", async () => {
      const found = await client.list(events, { namespace: tenants.home, fieldSelector: 'involvedObject.name=reader' });
      return found.find(({ reason }) => reason === 'FailedCreate')?.message;
    });
    expect(told).to.include(mayNotClone());
    expect(await client.get(persistentVolumeClaims, atHome('data-reader-0'))).to.be.undefined;
    await kubectl.run('-n', tenants.home, 'delete', 'statefulset', 'reader', '--as=tenant');
  });

  it('by the status of a claim, with owner references of an own DataVolume', async () => {
    const { namespaceAdmin } = tenants;
    const owning = inRealm('owning');
    const own = await namespaceAdmin.create(
      dataVolumes,
      dataVolume(owning, { blank: {} }, { storageClassName: suite.classes.standard, size: MARKED_SIZE }),
    );
    await untilSucceeded(suite.client, owning);
    const { apiVersion, kind, metadata } = own;
    const owner = { apiVersion, kind, name: owning.name, uid: metadata.uid ?? '', controller: true };
    const key = inRealm('by-status');
    await namespaceAdmin.create(persistentVolumeClaims, claim(key, { ownerReferences: [owner] }));
    const patch = { metadata: { annotations: { [CLONE_REQUEST]: `${tenants.victim}/filesystem` } } };
    for (const options of [{}, { subresource: 'status' }]) {
      const attempt = namespaceAdmin.mergePatch(persistentVolumeClaims, key, patch, options);
      expect(await refusal(attempt)).to.include(mayNotClone());
    }
  });

  it('by a claim that was restored as complete, and then is not complete any more', async () => {
    const { namespaceAdmin } = tenants;
    const key = inRealm('restored');
    const annotations = { [CLONE_REQUEST]: `${tenants.victim}/filesystem`, [POD_PHASE]: 'Succeeded' };
    await namespaceAdmin.create(persistentVolumeClaims, claim(key, { annotations }));
    const patch = { metadata: { annotations: { [POD_PHASE]: null } } };
    for (const options of [{}, { subresource: 'status' }]) {
      const attempt = namespaceAdmin.mergePatch(persistentVolumeClaims, key, patch, options);
      expect(await refusal(attempt)).to.include(mayNotClone());
    }
  });

  it('and nothing was ever made there, nor changed, nor is any of its data elsewhere', async () => {
    expect(recorder.appeared.map(({ metadata }) => metadata?.name)).to.deep.equal([]);
    expect(recorder.changes).to.deep.equal([]);
    expect(await claimsWith(suite, tenants.home, VICTIMS)).to.deep.equal([]);
    expect(await claimsWith(suite, tenants.realm, VICTIMS)).to.deep.equal([]);
    // That it would have been found, the user's own shows.
    const copies = Object.keys(ways).map((title) => `of-${title.toLowerCase().replaceAll(' ', '-')}`);
    expect(await claimsWith(suite, tenants.home, OWN)).to.have.members(['filesystem', 'block', ...copies]);
  });
});
