import { join } from 'node:path';
import { expect } from 'chai';
import { toError } from '../../../src/kube/errors.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { rejection } from '../../support/rejection.ts';

const root = join(import.meta.dirname, '../../..');

const SOURCE = 'golden';
const TARGET = 'team';
const CONTROLLERS = 'system:serviceaccount:cdi:cdi-sa';

/** May do everything in the target's namespace, and nothing anywhere else. */
const STRANGER = 'stranger';
/** Like the stranger, and may clone from the source's namespace. */
const CLONER = 'cloner';
/** Like the stranger, and may make pods in the source's namespace. */
const POD_MAKER = 'pod-maker';
/** Like the pod maker, and may make claims there, too. */
const CLAIM_MAKER = 'claim-maker';
/** Makes claims for users, and may make pods everywhere. */
const STATEFUL_SETS = 'system:serviceaccount:kube-system:statefulset-controller';

const cdiObject = (kind: string, name: string, spec: object, annotations: Record<string, string> = {}) => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind,
  metadata: { name, namespace: TARGET, annotations },
  spec,
});
const dataVolume = (name: string, source: object) => cdiObject('DataVolume', name, { ...source, storage: {} });
const claim = (name: string, annotations: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: TARGET,
    annotations,
    ownerReferences: [
      { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name, uid: 'of-the-data-volume', controller: true },
    ],
  },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});
const cloneSource = (name: string, source: string, annotations: Record<string, string>) =>
  cdiObject('VolumeCloneSource', name, { source: { kind: 'PersistentVolumeClaim', name: source } }, annotations);
const dataImportCron = (name: string, serviceAccount: object) =>
  cdiObject('DataImportCron', name, {
    ...serviceAccount,
    template: { spec: { source: { pvc: { namespace: SOURCE, name: 'fedora' } }, storage: {} } },
    schedule: '',
    managedDataSource: 'fedora',
  });

/** What the user's right is asked for. */
const byRight: Record<string, (name: string) => object> = {
  'a DataVolume that clones a claim': (name) => dataVolume(name, { source: { pvc: { namespace: SOURCE, name: 'a' } } }),
  'a DataVolume that clones a claim, as v1alpha1': (name) => ({
    ...dataVolume(name, { source: { pvc: { namespace: SOURCE, name: 'a' } } }),
    apiVersion: 'cdi.kubevirt.io/v1alpha1',
  }),
  'a DataVolume that clones a snapshot': (name) =>
    dataVolume(name, { source: { snapshot: { namespace: SOURCE, name: 'a' } } }),
  'a DataVolume that clones a DataSource': (name) =>
    dataVolume(name, { sourceRef: { kind: 'DataSource', namespace: SOURCE, name: 'a' } }),
  'a DataSource of a claim': (name) =>
    cdiObject('DataSource', name, { source: { pvc: { namespace: SOURCE, name: 'a' } } }),
  'a DataSource of a DataSource': (name) =>
    cdiObject('DataSource', name, { source: { dataSource: { namespace: SOURCE, name: 'a' } } }),
  'a DataImportCron without a service account': (name) => dataImportCron(name, {}),
};

/** What nobody but the controllers may write, whatever their rights are. */
const byAnnotation: Record<string, (name: string) => object> = {
  'a claim with a clone request': (name) => claim(name, { 'k8s.io/CloneRequest': `${SOURCE}/a` }),
  'a claim with a namespace of its data source': (name) =>
    claim(name, { 'cdi.kubevirt.io/dataSourceNamespace': SOURCE }),
  'a VolumeCloneSource with a namespace of its source': (name) =>
    cloneSource(name, 'a', { 'cdi.kubevirt.io/dataSourceNamespace': SOURCE }),
};

const ownNamespace: Record<string, object> = {
  'a DataVolume': dataVolume('own', { source: { pvc: { namespace: TARGET, name: 'a' } } }),
  'a DataVolume of a DataSource': dataVolume('own-data-source', { sourceRef: { kind: 'DataSource', name: 'a' } }),
  'a DataVolume that is not a clone': cdiObject('DataVolume', 'blank', {
    source: { blank: {} },
    storage: { resources: { requests: { storage: '1Gi' } } },
  }),
  'a DataSource': cdiObject('DataSource', 'own', { source: { pvc: { namespace: TARGET, name: 'a' } } }),
  'a DataVolume with an empty namespace': dataVolume('empty', { source: { pvc: { namespace: '', name: 'a' } } }),
  'a DataVolume of a DataSource with an empty namespace': dataVolume('empty-data-source', {
    sourceRef: { kind: 'DataSource', namespace: '', name: 'a' },
  }),
  'a DataSource with an empty namespace': cdiObject('DataSource', 'empty', {
    source: { snapshot: { namespace: '', name: 'a' } },
  }),
  'a DataSource of a DataSource with an empty namespace': cdiObject('DataSource', 'empty-other', {
    source: { dataSource: { namespace: '', name: 'a' } },
  }),
  'a DataImportCron with an empty namespace': cdiObject('DataImportCron', 'empty', {
    template: { spec: { source: { pvc: { namespace: '', name: 'a' } }, storage: {} } },
    schedule: '',
    managedDataSource: 'a',
  }),
  'a DataSource of nothing': cdiObject('DataSource', 'nothing', { source: {} }),
  'a claim with a clone request': claim('own', { 'k8s.io/CloneRequest': `${TARGET}/a` }),
  'a claim without annotations': claim('plain', {}),
  'a VolumeCloneSource': cloneSource('own', 'a', {}),
};

describe('The right to clone from another namespace, in a real API server', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let kubectl: Kubectl;
  let count = 0;
  const uniqueName = () => `object-${count++}`;

  before(kubernetesIsBuilt);
  before(async () => {
    server = await startApiServer();
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await kubectl.run('apply', '-k', join(root, 'crds'));
    await kubectl.run('apply', '-k', join(root, 'deploy/admission'));
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    for (const namespace of [SOURCE, TARGET]) await kubectl.run('create', 'namespace', namespace);
    const inTarget = [STRANGER, CLONER, POD_MAKER, CLAIM_MAKER, STATEFUL_SETS, CONTROLLERS].flatMap((user) => [
      '--user',
      user,
    ]);
    await kubectl.run('-n', TARGET, 'create', 'rolebinding', 'all', '--clusterrole=cluster-admin', ...inTarget);
    const grant = async (name: string, resource: string, ...subjects: string[]) => {
      await kubectl.run('-n', SOURCE, 'create', 'role', name, '--verb=create', `--resource=${resource}`);
      await kubectl.run('-n', SOURCE, 'create', 'rolebinding', name, `--role=${name}`, ...subjects);
    };
    await grant('clone', 'datavolumes.cdi.kubevirt.io/source', '--user', CLONER, `--serviceaccount=${TARGET}:importer`);
    await grant('pods', 'pods', '--user', POD_MAKER, '--user', CLAIM_MAKER, '--user', STATEFUL_SETS);
    await grant('claims', 'persistentvolumeclaims', '--user', CLAIM_MAKER);
    // Policies are in force a moment after they were made.
    for (const [what, manifest] of Object.entries({ ...byRight, ...byAnnotation }))
      await eventually(`${what} is refused`, async () =>
        (await kubectl.refusal(manifest(uniqueName()), { user: STRANGER })).includes('may not clone'),
      );
  });
  after(async () => {
    await kubectl?.remove();
    await server?.stop();
  });

  for (const [what, manifest] of Object.entries(byRight)) {
    const isSnapshot = what.includes('snapshot');
    describe(`for ${what}`, () => {
      it('is missing: the refusal names user, namespace and right', async () => {
        expect(await kubectl.refusal(manifest(uniqueName()), { user: STRANGER }))
          .to.include(`user "${STRANGER}" may not clone from namespace "${SOURCE}"`)
          .and.include(
            `the right to create datavolumes/source (group cdi.kubevirt.io), or to create pods${isSnapshot ? ' and persistentvolumeclaims' : ''}, is missing there`,
          );
      });
      for (const [whose, user] of Object.entries({
        'create datavolumes/source': CLONER,
        ...(isSnapshot ? {} : { 'create pods': POD_MAKER }),
        'create pods and claims': CLAIM_MAKER,
      }))
        it(`is there: ${whose}`, async () => {
          await kubectl.apply(manifest(uniqueName()), { user });
        });
      // A ServiceAccount's name can be anybody's where the controllers are installed elsewhere.
      it('is missing also for the controllers, who have no right there', async () => {
        expect(await kubectl.refusal(manifest(uniqueName()), { user: CONTROLLERS })).to.include('may not clone from');
      });
      if (isSnapshot)
        it('is missing for who may only make pods', async () => {
          expect(await kubectl.refusal(manifest(uniqueName()), { user: POD_MAKER })).to.include('may not clone from');
        });
    });
  }

  for (const [what, manifest] of Object.entries(byAnnotation)) {
    describe(`is of no use for ${what}`, () => {
      for (const user of [STRANGER, CLONER, POD_MAKER, CLAIM_MAKER, STATEFUL_SETS])
        it(`${user} is refused, and told what to make instead`, async () => {
          expect(await kubectl.refusal(manifest(uniqueName()), { user }))
            .to.include(`user "${user}" may not clone from namespace "${SOURCE}"`)
            .and.include('make a DataVolume whose source names the claim');
        });
      it('the controllers write it', async () => {
        await kubectl.apply(manifest(uniqueName()), { user: CONTROLLERS });
      });
    });
  }

  for (const [what, manifest] of Object.entries(ownNamespace))
    it(`is not needed in the own namespace: ${what}`, async () => {
      await kubectl.apply(manifest, { user: STRANGER });
    });

  it('lets no DataSource refer to itself', async () => {
    for (const namespace of [TARGET, '']) {
      const itself = cdiObject('DataSource', 'itself', { source: { dataSource: { namespace, name: 'itself' } } });
      expect(await kubectl.refusal(itself, { user: CLONER })).to.include('a DataSource cannot refer to itself');
    }
    const namesake = cdiObject('DataSource', 'namesake', {
      source: { dataSource: { namespace: SOURCE, name: 'namesake' } },
    });
    await kubectl.apply(namesake, { user: CLONER });
  });

  it("is asked of a DataImportCron's service account", async () => {
    await kubectl.apply(dataImportCron('granted', { serviceAccountName: 'importer' }), { user: STRANGER });
    expect(
      await kubectl.refusal(dataImportCron('not-granted', { serviceAccountName: 'other' }), { user: CLONER }),
    ).to.include(`user "system:serviceaccount:${TARGET}:other" may not clone from namespace "${SOURCE}"`);
  });

  describe('cannot be got around by changing an object that exists', () => {
    const annotated = { 'cdi.kubevirt.io/dataSourceNamespace': SOURCE };

    it('a clone request is written later', async () => {
      await kubectl.apply(claim('later', {}), { user: STRANGER });
      expect(
        await kubectl.refusal(claim('later', { 'k8s.io/CloneRequest': `${SOURCE}/a` }), { user: STRANGER }),
      ).to.include(`may not clone from namespace "${SOURCE}"`);
    });

    it('a clone request is written by the status of a claim', async () => {
      await kubectl.apply(claim('by-status', {}), { user: STRANGER });
      const patch = { metadata: { annotations: { 'k8s.io/CloneRequest': `${SOURCE}/a` } } };
      const error = await rejection(
        kubectl.run(
          ...['-n', TARGET, 'patch', 'persistentvolumeclaim', 'by-status', '--subresource=status', '--type=merge'],
          ...['--patch', JSON.stringify(patch), '--as', STRANGER],
        ),
      );
      expect(toError(error).message).to.include(`may not clone from namespace "${SOURCE}"`);
    });

    it('a claim that was restored as complete is not complete any more', async () => {
      const restored = { 'k8s.io/CloneRequest': `${SOURCE}/a`, 'cdi.kubevirt.io/storage.pod.phase': 'Succeeded' };
      await kubectl.apply(claim('restored', restored), { user: STRANGER });
      const { 'k8s.io/CloneRequest': request } = restored;
      expect(
        await kubectl.refusal(claim('restored', { 'k8s.io/CloneRequest': request }), { user: STRANGER }),
      ).to.include(`may not clone from namespace "${SOURCE}"`);
    });

    it('a VolumeCloneSource of the controllers is led to another source', async () => {
      await kubectl.apply(cloneSource('changed', 'a', annotated), { user: CONTROLLERS });
      expect(await kubectl.refusal(cloneSource('changed', 'b', annotated), { user: STRANGER })).to.include(
        `may not clone from namespace "${SOURCE}"`,
      );
    });

    it('a DataSource is led to another namespace', async () => {
      const spec = (namespace: string) => ({ source: { pvc: { namespace, name: 'a' } } });
      await kubectl.apply(cdiObject('DataSource', 'changed', spec(TARGET)), { user: STRANGER });
      expect(await kubectl.refusal(cdiObject('DataSource', 'changed', spec(SOURCE)), { user: STRANGER })).to.include(
        `may not clone from namespace "${SOURCE}"`,
      );
    });
  });

  it('has its like for the priority classes of a DataImportCron’s transfer pods', async () => {
    const priorityClassName = 'system-node-critical';
    const spec = {
      source: { registry: { url: 'docker://a/b' } },
      storage: { resources: { requests: { storage: '1Gi' } } },
    };
    const annotations = { 'cdi.kubevirt.io/storage.pod.priorityclassname': priorityClassName };
    const cron = (template: object) =>
      cdiObject('DataImportCron', 'urgent', { template, schedule: '@daily', managedDataSource: 'urgent' });
    for (const template of [{ spec: { ...spec, priorityClassName } }, { metadata: { annotations }, spec }])
      expect(await kubectl.refusal(cron(template), { user: STRANGER })).to.include(
        'may not have transfer pods of priority class "system-node-critical"',
      );
    await kubectl.apply(cron({ spec }), { user: STRANGER });
  });

  it('is not needed to change other things', async () => {
    for (const [user, kind, manifest] of [
      [CONTROLLERS, 'persistentvolumeclaim', claim('labelled', { 'k8s.io/CloneRequest': `${SOURCE}/a` })],
      [
        CONTROLLERS,
        'volumeclonesource',
        cloneSource('labelled', 'a', { 'cdi.kubevirt.io/dataSourceNamespace': SOURCE }),
      ],
      [
        CLONER,
        'datasource',
        cdiObject('DataSource', 'labelled', { source: { pvc: { namespace: SOURCE, name: 'a' } } }),
      ],
      [CLONER, 'dataimportcron', dataImportCron('labelled', {})],
    ] as const) {
      await kubectl.apply(manifest, { user });
      await kubectl.run('-n', TARGET, 'label', kind, 'labelled', 'key=value', '--as', STRANGER);
    }
  });
});
