import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1PolicyRule } from '@kubernetes/client-node';
import { expect } from 'chai';
import { cdis } from '../../../src/api/cdi.ts';
import { dataImportCrons } from '../../../src/api/data-import-cron.ts';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { storageProfiles } from '../../../src/api/storage-profile.ts';
import { checkRemoval } from '../../../src/installation/check-removal.ts';
import { cleanUp } from '../../../src/installation/clean-up.ts';
import { configure } from '../../../src/installation/configure.ts';
import type { Step } from '../../../src/installation/step.ts';
import { namespaces, persistentVolumeClaims, secrets } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { type KubeObject, type Resource, resourceName } from '../../../src/kube/resource.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { clientAs } from '../../support/impersonation.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { dataVolume, object, registryTemplate } from '../../support/manifests.ts';
import { rejection } from '../../support/rejection.ts';
import { nameOf, renderChart } from '../deploy/renderings.ts';

const root = join(import.meta.dirname, '../../..');
const NAMESPACE = 'cdi';
const OURS = ['cdi.kubevirt.io/clonePopulator', 'other.cdi.kubevirt.io/one'];
const OTHERS = 'example.com/theirs';
const CDI = { namespace: '', name: 'cdi' };

describe('the steps around an installation, with the rights that the chart gives them', function () {
  this.timeout(120_000);
  let server: ApiServer;
  let admin: KubeClient;
  let kubectl: Kubectl;
  let folder: string;
  /** Every right that the chart gives a step; one that is missing is missed by the API server. */
  let granted: (step: string) => string[];

  before(kubernetesIsBuilt);
  before(async function () {
    // Helm is built where no other test has done so.
    this.timeout(0);
    const rendered = await renderChart({ cdi: { spec: { config: { preallocation: true } } } });
    const roles = rendered.filter(({ kind, metadata }) => /Role/.test(kind) && metadata.annotations);
    granted = (step) => [
      ...new Set(
        roles
          .filter(({ kind, metadata }) => /Role$/.test(kind) && metadata.name === step)
          .flatMap(({ rules }) => grantsOf(rules as V1PolicyRule[])),
      ),
    ];
    server = await startApiServer();
    admin = new KubeClient(server.kubeConfig());
    kubectl = await Kubectl.create(server.kubeConfigPath);
    folder = await mkdtemp(join(tmpdir(), 'steps-'));
    await admin.create(namespaces, { metadata: { name: NAMESPACE } });
    await kubectl.run('apply', '-k', join(root, 'crds'));
    await kubectl.run('apply', '-f', join(root, 'deploy/admission/uninstall.yaml'));
    for (const role of roles) await kubectl.apply(role);
    expect(roles.map(nameOf)).to.include('ClusterRole cdi-clean-up');
  });

  after(async () => {
    delete process.env['CDI_SPEC_FILE'];
    await admin?.close();
    await kubectl?.remove();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  /** Runs a step as its ServiceAccount, and returns what it asked for. */
  async function run(step: Step, name: string): Promise<string[]> {
    const client = clientAs(server.kubeConfigPath, `system:serviceaccount:${NAMESPACE}:${name}`);
    const { asked, recorder } = recording(client);
    const signal = AbortSignal.timeout(30_000);
    try {
      await step({ client: recorder, namespace: NAMESPACE, logger: silentLogger(), signal });
    } finally {
      await client.close();
    }
    return [...asked];
  }

  async function settings(spec: object): Promise<void> {
    const path = join(folder, 'cdi-spec.json');
    await writeFile(path, JSON.stringify(spec));
    process.env['CDI_SPEC_FILE'] = path;
  }

  it('set the CDI object, and take back what was set before', async () => {
    await admin.create(cdis, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'CDI',
      metadata: { name: CDI.name },
      spec: { config: { featureGates: ['HonorWaitForFirstConsumer'] } },
    });
    await settings({ config: { preallocation: true }, priorityClass: 'important' });
    expect(await run(configure, 'cdi-configure')).to.include.members(granted('cdi-configure'));
    await settings({ config: { preallocation: true } });
    await run(configure, 'cdi-configure');
    expect((await admin.get(cdis, CDI))?.spec).to.deep.equal({
      config: { featureGates: ['HonorWaitForFirstConsumer'], preallocation: true },
    });
  });

  it('refuse settings that there are none of', async () => {
    await settings({ confg: {} });
    expect(await rejection(run(configure, 'cdi-configure'))).to.match(/confg/);
  });

  it('say what is against a removal, and remove nothing', async () => {
    await admin.mergePatch(cdis, CDI, { spec: { uninstallStrategy: 'BlockUninstallIfWorkloadsExist' } });
    const conditions = [{ type: 'UninstallBlocked', status: 'True', message: 'there are DataVolumes: users/disk' }];
    await admin.mergePatch(cdis, CDI, { status: { conditions } } as never, { subresource: 'status' });
    // A policy is not in force at once.
    const refusal = await eventually('the policy is in force', () =>
      run(checkRemoval, 'cdi-check-removal').then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refusal).to.match(/users\/disk/);
    await admin.mergePatch(cdis, CDI, { spec: { uninstallStrategy: 'RemoveWorkloads' } });
    expect(await run(checkRemoval, 'cdi-check-removal')).to.include.members(granted('cdi-check-removal'));
    expect(await admin.get(cdis, CDI)).not.to.equal(undefined);
  });

  it('remove what the controllers made, and free what stays of their finalizers and nobody else’s', async () => {
    const finalizers = [...OURS, OTHERS];
    const own = { namespace: NAMESPACE, name: 'disk', finalizers };
    const resources = { requests: { storage: '1Gi' } };
    await admin.create(persistentVolumeClaims, { metadata: own, spec: { accessModes: ['ReadWriteOnce'], resources } });
    const volume = dataVolume('disk', { source: { blank: {} }, storage: { resources } });
    const cron = object('DataImportCron', 'disk', { ...registryTemplate, schedule: '', managedDataSource: 'disk' });
    for (const each of [volume, cron]) await kubectl.apply({ ...each, metadata: own });
    await admin.create(storageProfiles, { metadata: { name: 'fast' }, spec: {} } as never);
    await admin.create(secrets, { metadata: { namespace: NAMESPACE, name: 'cdi-apiserver-signer' } });
    await admin.create(secrets, { metadata: { namespace: NAMESPACE, name: 'somebody-else' } });
    await admin.mergePatch(cdis, CDI, { metadata: { finalizers: ['operator.cdi.kubevirt.io'] } });
    expect(await run(cleanUp, 'cdi-clean-up')).to.include.members(granted('cdi-clean-up'));
    for (const resource of [persistentVolumeClaims, dataVolumes, dataImportCrons] as Resource<KubeObject>[]) {
      const found = await admin.get(resource, own);
      expect(found?.metadata?.finalizers?.filter((name) => !name.startsWith('kubernetes.io/'))).to.deep.equal([OTHERS]);
    }
    expect(await admin.list(cdis)).to.deep.equal([]);
    expect(await admin.list(storageProfiles)).to.deep.equal([]);
    const left = (await admin.list(secrets, { namespace: NAMESPACE })).map(({ metadata }) => metadata?.name);
    expect(left).to.deep.equal(['somebody-else']);
  });
});

/** `delete secrets cdi-api-signing-key`, for each single thing that a role allows. */
function grantsOf(rules: readonly V1PolicyRule[]): string[] {
  return rules.flatMap(({ apiGroups = [], resources = [], resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          resourceNames.map((name) => `${verb} ${resource}${group ? `.${group}` : ''} ${name}`.trim()),
        ),
      ),
    ),
  );
}

/** A client that notes what it is asked for, as {@link grantsOf} has it: with the name of the object, and without. */
function recording(client: KubeClient): { asked: Set<string>; recorder: KubeClient } {
  const asked = new Set<string>();
  const verbs: Readonly<Record<string, string>> = { mergePatch: 'patch', apply: 'patch' };
  const methods = client as unknown as Record<string, (...args: unknown[]) => unknown>;
  const recorder = new Proxy(client, {
    get: (_, method: string) => (resource: Resource<KubeObject>, object: Named, options: unknown, more: unknown) => {
      const what = `${verbs[method] ?? method} ${resourceName(resource)}`;
      asked.add(what).add(`${what} ${object.name ?? object.metadata?.name ?? ''}`);
      return methods[method]?.call(client, resource, object, options, more);
    },
  });
  return { asked, recorder };
}

interface Named {
  readonly name?: string;
  readonly metadata?: { readonly name?: string };
}
