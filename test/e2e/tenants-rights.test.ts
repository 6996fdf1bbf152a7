import { expect } from 'chai';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
} from '../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { toError } from '../../src/kube/errors.ts';
import { keyToString, type ObjectKey } from '../../src/kube/key.ts';
import { type ClaimOptions, conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { clientAs } from '../support/impersonation.ts';
import { rejection } from '../support/rejection.ts';
import { cloningFrom, mayDo } from '../support/rights.ts';
import { until } from '../support/until.ts';
import { podWithVolume } from '../support/volume-content.ts';
import { eventsOf } from './support/events.ts';
import { claimsWith, makeMarked, mark, MARKED_SIZE } from './support/marked-volumes.ts';
import { nameOf, NamespaceRecorder, type Recorded } from './support/namespace-recorder.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { useSuite } from './support/suite.ts';
import { useTenants } from './support/tenants.ts';
import { makeClaim } from './support/volumes.ts';

const OLD = 'granted-data-3be8';
const NEW = 'newer-data-3be8';
const RUNNING_REASON = 'cdi.kubevirt.io/storage.condition.running.reason';
const populatedOrNot = { 'a populated claim': 'true', 'a claim that is written itself': 'false' } as const;
/** Far less than what else could remove something: namespaces that go, and pods that come to an end. */
const ORPHANS_MILLISECONDS = 15_000;
/** Seconds of them: the cluster's own controller puts each right in a moment. */
const FORGERIES = 500;

describe('the right to clone from a namespace', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const tenants = useTenants(suite);
  let recorder: NamespaceRecorder;

  const secret = (name = 'secret'): ObjectKey => ({ namespace: tenants.victim, name });
  const atHome = (name: string): ObjectKey => ({ namespace: tenants.home, name });
  const inRealm = (name: string): ObjectKey => ({ namespace: tenants.realm, name });
  const slug = (title: string) => title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  const clone = (
    client: KubeClient,
    key: ObjectKey,
    source: ObjectKey,
    options: ClaimOptions = {},
  ): Promise<DataVolume> =>
    client.create(
      dataVolumes,
      dataVolume(key, { pvc: source }, { storageClassName: suite.classes.standard, size: MARKED_SIZE, ...options }),
    );
  const byPopulator = (usePopulator: string) => ({ 'cdi.kubevirt.io/storage.usePopulator': usePopulator });
  const untilReason = (key: ObjectKey, reason: string) =>
    until(suite.client, dataVolumes, key, `it says ${reason}`, (object) => {
      const running = conditionOf(object, 'Running');
      return running?.reason === reason ? { phase: object?.status?.phase, message: running.message } : undefined;
    });
  /** What the controllers made in the victim's namespace for a claim. */
  const madeFor = (key: ObjectKey) => recorder.madeFor(key);
  const namesOf = (objects: readonly Recorded[]) => objects.map(nameOf);

  /** The volumes that a claim of this name has, or would get. */
  const volumesFor = async ({ namespace, name }: ObjectKey) =>
    (await suite.client.list(persistentVolumes)).filter(
      ({ spec }) => spec?.claimRef?.namespace === namespace && spec.claimRef.name === name,
    );

  before(async () => {
    await makeMarked(suite, secret(), { storageClassName: suite.classes.standard, marker: OLD });
    recorder = new NamespaceRecorder(tenants.victim);
    await recorder.start(suite.client);
  });

  after(async () => recorder?.stop());

  it('lets its user clone, and a ServiceAccount that makes DataVolumes for users', async () => {
    const { kubectl, kubeConfigPath } = suite;
    await clone(tenants.cloner, atHome('allowed'), secret());
    await untilSucceeded(suite.client, atHome('allowed'));
    await kubectl.run('-n', tenants.home, 'create', 'serviceaccount', 'machines');
    const account = `--serviceaccount=${tenants.home}:machines`;
    await kubectl.run('-n', tenants.victim, 'create', 'rolebinding', 'machines', '--role=clone', account);
    await kubectl.run('-n', tenants.home, 'create', 'rolebinding', 'machines', '--clusterrole=edit', account);
    const machines = clientAs(kubeConfigPath, `system:serviceaccount:${tenants.home}:machines`);
    try {
      await eventually('the ServiceAccount may clone', () => mayDo(machines, cloningFrom(tenants.victim)));
      await clone(machines, atHome('for-a-user'), secret());
      await untilSucceeded(suite.client, atHome('for-a-user'));
    } finally {
      await machines.close();
    }
    expect(await claimsWith(suite, tenants.home, OLD)).to.deep.equal(['allowed', 'for-a-user']);
  });

  it('is used without a word of warning', async () => {
    const told = await eventsOf(suite.client, await untilSucceeded(suite.client, atHome('allowed')));
    expect(told.filter(({ type }) => type !== 'Normal').map(({ message }) => message)).to.deep.equal([]);
  });

  describe("gives its user no say in the pods of the source's namespace", () => {
    const shaping = {
      'cdi.kubevirt.io/storage.pod.serviceAccountName': 'payroll-bot',
      'k8s.v1.cni.cncf.io/networks': 'kube-system/internal-net',
      'v1.multus-cni.io/default-network': 'kube-system/internal-net',
      'cdi.kubevirt.io/storage.pod.retainAfterCompletion': 'true',
      'sidecar.istio.io/inject': 'true',
      'linkerd.io/inject': 'enabled',
    };

    for (const [title, usePopulator] of Object.entries(populatedOrNot))
      it(`with ${title}`, async () => {
        const key = atHome(`shaped-${slug(title)}`);
        const storageClassName = suite.classes.copy;
        if (usePopulator === 'false') {
          await suite.kubectl.run('-n', tenants.home, 'create', 'serviceaccount', 'payroll-bot');
        }
        // Only where its own namespace has no pods of it: a class of that name there is none.
        const priority: Record<string, string> =
          usePopulator === 'true' ? { 'cdi.kubevirt.io/storage.pod.priorityclassname': 'no-such-class' } : {};
        const annotations = { ...shaping, ...priority, ...byPopulator(usePopulator) };
        await clone(tenants.cloner, key, secret(), { storageClassName, annotations });
        await untilSucceeded(suite.client, key);
        const found = madeFor(key).filter(({ kind }) => kind === 'Pod') as Pod[];
        expect(found).to.not.be.empty;
        for (const { metadata, spec } of found) {
          expect(spec?.serviceAccountName).to.equal('default');
          expect(spec?.priorityClassName).to.be.undefined;
          expect(metadata?.annotations).to.not.have.any.keys(
            'k8s.v1.cni.cncf.io/networks',
            'v1.multus-cni.io/default-network',
          );
          expect(metadata?.annotations).to.include({
            'sidecar.istio.io/inject': 'false',
            'linkerd.io/inject': 'disabled',
          });
        }
        // They are to be retained, and go with the claim that they were for.
        await suite.client.delete(dataVolumes, key);
        for (const { metadata } of found) {
          await until(suite.client, pods, secret(metadata?.name), 'it is gone', (pod) => pod === undefined, 60_000);
        }
      });

    it('nor in their rank before all others', async () => {
      const annotations = { 'cdi.kubevirt.io/storage.pod.priorityclassname': 'system-node-critical' };
      const refused = toError(await rejection(clone(tenants.cloner, atHome('critical'), secret(), { annotations })));
      expect(refused.message).to.include('may not have transfer pods of priority class "system-node-critical"');
    });
  });

  for (const [title, usePopulator] of Object.entries(populatedOrNot))
    it(`is for the object that was there: one made anew under its name is not copied into ${title}`, async () => {
      const { client } = suite;
      const source = secret(`replaced-${slug(title)}`);
      await makeMarked(suite, source, { storageClassName: suite.classes.standard, marker: OLD });
      const writer = secret(`writer-${slug(title)}`);
      const command = ['sleep', '600'];
      await client.create(
        pods,
        podWithVolume(suite, writer, { claim: source.name, block: false, command, writable: true }),
      );
      await until(client, pods, writer, 'it runs', (pod) => pod?.status?.phase === 'Running');
      const key = atHome(`of-replaced-${slug(title)}`);
      await clone(tenants.cloner, key, source, { annotations: byPopulator(usePopulator) });
      await untilReason(key, 'CloneSourceInUse');
      await client.delete(persistentVolumeClaims, source);
      await client.delete(pods, writer, { gracePeriodSeconds: 0 });
      await until(client, persistentVolumeClaims, source, 'it is gone', (claim) => claim === undefined);
      await makeMarked(suite, source, { storageClassName: suite.classes.standard, marker: NEW });
      const { phase, message } = await untilReason(key, 'SourceReplaced');
      expect(phase).to.equal('Failed');
      expect(message).to.include(`The source ${keyToString(source)} was deleted and made anew`);
      expect(namesOf(madeFor(key))).to.deep.equal([]);
    });

  it('holds for a day from the creation of a DataVolume, for the first object that then has the name', async () => {
    const source = secret('later');
    const key = atHome('of-later');
    await clone(tenants.cloner, key, source);
    const { message } = await untilReason(key, 'CloneWithoutSource');
    expect(message).to.include("the clone starts when it does, within a day of the DataVolume's creation");
    await tenants.withdraw();
    try {
      await makeMarked(suite, source, { storageClassName: suite.classes.standard, marker: OLD });
      await untilSucceeded(suite.client, key);
      const refused = toError(await rejection(clone(tenants.cloner, atHome('of-later-too'), source)));
      expect(refused.message).to.include(`may not clone from namespace "${tenants.victim}"`);
    } finally {
      await tenants.grant();
    }
  });

  describe('is for one copy', () => {
    const bareClaim = (key: ObjectKey, cloneSource: string, owner: DataVolume): PersistentVolumeClaim => ({
      metadata: {
        ...key,
        ownerReferences: [
          {
            apiVersion: 'cdi.kubevirt.io/v1beta1',
            kind: 'DataVolume',
            name: owner.metadata.name ?? '',
            uid: owner.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: MARKED_SIZE } },
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: cloneSource },
      },
    });
    const finished = new Map<string, DataVolume>();

    before(async () => {
      for (const key of [atHome('finished'), inRealm('finished-true'), inRealm('finished-false'), inRealm('forged')]) {
        const annotations = byPopulator(key.name.endsWith('false') ? 'false' : 'true');
        await clone(tenants.cloner, key, secret(), { annotations });
        finished.set(key.name, await untilSucceeded(suite.client, key));
      }
      await tenants.withdraw();
      await mark(suite, secret(), NEW);
    });

    after(async () => tenants.grant());

    it('not for a second claim that names the VolumeCloneSource of the first', async () => {
      const owner = finished.get('finished');
      if (!owner) throw new Error('the clone was not made');
      const key = atHome('second');
      const name = `volume-clone-source-${owner.metadata.uid}`;
      await tenants.tenant.create(persistentVolumeClaims, bareClaim(key, name, owner));
      await until(suite.client, persistentVolumeClaims, key, 'it is refused', (claim) => {
        return claim?.metadata?.annotations?.[RUNNING_REASON] === 'Forbidden';
      });
      expect(namesOf(madeFor(key))).to.deep.equal([]);
    });

    for (const [title, usePopulator] of Object.entries(populatedOrNot))
      it(`not for another claim of the DataVolume, whose status was reset, with ${title}`, async () => {
        const { namespaceAdmin } = tenants;
        const key = inRealm(`finished-${usePopulator}`);
        const made = madeFor(key).length;
        const uid = (await suite.client.get(persistentVolumeClaims, key))?.metadata?.uid;
        await namespaceAdmin.delete(persistentVolumeClaims, key);
        await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim?.metadata?.uid !== uid);
        // What the controller has to say of that comes first, or it would be said over the forged status.
        await untilReason(key, 'ErrClaimLost');
        await namespaceAdmin.mergePatch(
          dataVolumes,
          key,
          { status: { phase: 'Pending', conditions: null } },
          {
            subresource: 'status',
          },
        );
        const { phase, message } = await untilReason(key, 'Forbidden');
        expect(phase).to.equal('Failed');
        expect(message).to.include('was granted its clone once, for a claim that is gone; make the DataVolume anew');
        expect(madeFor(key)).to.have.lengthOf(made);
      });

    it('not for the same claim, whose status says again and again that it is not bound', async () => {
      const { namespaceAdmin } = tenants;
      const key = inRealm('forged');
      const made = madeFor(key).length;
      const pending = { status: { phase: 'Pending' } };
      for (let times = 0; times < FORGERIES; times++) {
        await namespaceAdmin.mergePatch(persistentVolumeClaims, key, pending, { subresource: 'status' });
        if (times % 20 === 0 && (await volumesFor(key)).length > 1) break;
      }
      await namespaceAdmin.delete(dataVolumes, key);
      await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined);
      // A volume that was made for it would be given to the next claim of its name.
      await makeClaim(suite, key, { storageClassName: suite.classes.standard, size: MARKED_SIZE });
      await until(
        suite.client,
        persistentVolumeClaims,
        key,
        'it is bound',
        (claim) => claim?.status?.phase === 'Bound',
      );
      expect(await claimsWith(suite, tenants.realm, NEW)).to.deep.equal([]);
      expect(namesOf(madeFor(key).slice(made))).to.deep.equal([]);
    });

    it('and nothing newer is anywhere', async () => {
      expect(await claimsWith(suite, tenants.home, NEW)).to.deep.equal([]);
      expect(await claimsWith(suite, tenants.realm, NEW)).to.deep.equal([]);
      expect(await claimsWith(suite, tenants.victim, NEW)).to.include('secret');
    });
  });

  it('leaves no volume behind where its user names another one on the claim meanwhile', async () => {
    const key = atHome('diverted');
    await clone(tenants.cloner, key, secret(), { storageClassName: suite.classes.copy });
    await eventually('something is made for it', () => madeFor(key).length > 0);
    await tenants.tenant.mergePatch(persistentVolumeClaims, key, { spec: { volumeName: 'not-there' } });
    const { message } = await untilReason(key, 'ErrClaimNotValid');
    expect(message).to.include('names volume "not-there", so that no other can be handed to it');
    // Long enough for the cluster's own controller to take a hand in it.
    const meanwhile = atHome('meanwhile');
    await clone(tenants.cloner, meanwhile, secret(), { storageClassName: suite.classes.copy });
    await untilSucceeded(suite.client, meanwhile);
    await tenants.tenant.delete(dataVolumes, key);
    await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined);
    await eventually('no volume waits for a claim of its name', async () => (await volumesFor(key)).length === 0);
  });

  describe('leaves nothing behind where a claim goes without its finalizer', () => {
    const none = { metadata: { finalizers: null } };
    const untilNoneIsLeft = (key: ObjectKey) =>
      eventually(
        `nothing is left of what was made for ${key.name}`,
        async () => {
          const made = madeFor(key).map(({ kind, metadata }) => ({ kind, key: secret(metadata?.name) }));
          if (made.length === 0) throw new Error('nothing was made for it');
          const names = new Set(made.map(({ key: { name } }) => name));
          const listed = [
            await suite.client.list(pods, { namespace: tenants.victim }),
            await suite.client.list(persistentVolumeClaims, { namespace: tenants.victim }),
          ].flat();
          return !listed.some(({ metadata }) => names.has(metadata?.name ?? ''));
        },
        ORPHANS_MILLISECONDS,
      );
    /** Deletes the DataVolume and its claim, which nothing keeps any more. */
    const abandon = async (key: ObjectKey) => {
      const { tenant } = tenants;
      await tenant.mergePatch(persistentVolumeClaims, key, none);
      await tenant.delete(persistentVolumeClaims, key);
      await tenant.delete(dataVolumes, key);
      await tenant.mergePatch(persistentVolumeClaims, key, none).catch(() => undefined);
      await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined, 30_000);
    };

    it('while the storage clones', async function () {
      if (!hasOwnDriver(suite)) this.skip();
      const storageClassName = await ownClass(suite, 'diskpress-slow', { delaySeconds: '3' }, 'csi-clone');
      const key = atHome('abandoned-by-storage');
      await clone(tenants.cloner, key, secret(), { storageClassName });
      await eventually('its working claim is there', () =>
        madeFor(key).some(({ kind }) => kind === 'PersistentVolumeClaim'),
      );
      await abandon(key);
      await untilNoneIsLeft(key);
    });

    for (const [title, usePopulator] of Object.entries(populatedOrNot))
      it(`while pods copy into ${title}`, async () => {
        const key = atHome(`abandoned-${usePopulator}`);
        await clone(tenants.cloner, key, secret(), {
          storageClassName: suite.classes.copy,
          annotations: byPopulator(usePopulator),
        });
        await eventually('its pod is there', () => madeFor(key).some(({ kind }) => kind === 'Pod'));
        await abandon(key);
        await untilNoneIsLeft(key);
      });
  });
});
