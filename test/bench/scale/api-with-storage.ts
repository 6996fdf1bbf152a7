import { join } from 'node:path';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../src/api/group.ts';
import { storageProfiles } from '../../../src/api/storage-profile.ts';
import { csiDrivers, namespaces, persistentVolumeClaims, storageClasses } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { volumeSnapshotClasses } from '../../../src/kube/snapshot-resources.ts';
import { repository } from '../../cluster/folders.ts';
import { csiParts } from '../../cluster/index.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { SIMULATED_DRIVER } from './simulated-storage.ts';

/** The kinds of clone that can be measured. */
export const strategies = ['csi-clone', 'snapshot', 'grow', 'other-namespace'] as const;
export type Strategy = (typeof strategies)[number];

const GOLDEN_NAMESPACE = 'golden';
const CLONE_NAMESPACE = 'clones';

/**
 * Installs the CRDs, the namespaces, the controllers' rights, the policies, and one class for each way to clone.
 *
 * @param folder the top of the checkout that has the manifests
 */
export async function install(server: ApiServer, client: KubeClient, folder = repository): Promise<void> {
  const kubectl = await Kubectl.create(server.kubeConfigPath);
  try {
    await kubectl.run('apply', '-k', join(folder, 'crds'));
    for (const file of (await csiParts()).snapshotCrds) await kubectl.run('apply', '-f', file);
    await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  } finally {
    await kubectl.remove();
  }
  for (const name of ['cdi', GOLDEN_NAMESPACE, CLONE_NAMESPACE])
    await client.create(namespaces, { metadata: { name } });
  await installRights(server, folder);
  await client.create(csiDrivers, { metadata: { name: SIMULATED_DRIVER }, spec: { attachRequired: false } });
  await client.create(volumeSnapshotClasses, {
    metadata: { name: 'simulated' },
    driver: SIMULATED_DRIVER,
    deletionPolicy: 'Delete',
  });
  for (const cloneStrategy of ['csi-clone', 'snapshot'] as const) {
    await client.create(storageClasses, {
      metadata: { name: cloneStrategy },
      provisioner: SIMULATED_DRIVER,
      allowVolumeExpansion: true,
    });
    await client.create(storageProfiles, {
      apiVersion: CDI_API_VERSION,
      kind: 'StorageProfile',
      metadata: { name: cloneStrategy },
      spec: { cloneStrategy },
    });
  }
}

async function installRights(server: ApiServer, folder: string): Promise<void> {
  const kubectl = await Kubectl.create(server.kubeConfigPath);
  try {
    await kubectl.run('apply', '-f', join(folder, 'deploy/base/rbac.yaml'));
    await kubectl.run('apply', '-k', join(folder, 'deploy/admission'));
  } finally {
    await kubectl.remove();
  }
}

/** The claim that is cloned. */
export function goldenImageOf(strategy: Strategy): ObjectKey {
  return { namespace: strategy === 'other-namespace' ? GOLDEN_NAMESPACE : CLONE_NAMESPACE, name: `golden-${strategy}` };
}

export async function createGoldenImage(client: KubeClient, strategy: Strategy): Promise<void> {
  await client.create(persistentVolumeClaims, {
    metadata: { ...goldenImageOf(strategy) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: classOf(strategy),
      resources: { requests: { storage: '1Gi' } },
    },
  });
}

/** Makes one DataVolume that clones it. */
export async function createClone(client: KubeClient, strategy: Strategy, number: number): Promise<void> {
  await client.create(dataVolumes, {
    apiVersion: CDI_API_VERSION,
    kind: 'DataVolume',
    metadata: { name: `clone-${number}`, namespace: CLONE_NAMESPACE },
    spec: {
      source: { pvc: goldenImageOf(strategy) },
      pvc: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: classOf(strategy),
        resources: { requests: { storage: strategy === 'grow' ? '2Gi' : '1Gi' } },
      },
    },
  });
}

function classOf(strategy: Strategy): string {
  return strategy === 'snapshot' ? 'snapshot' : 'csi-clone';
}
