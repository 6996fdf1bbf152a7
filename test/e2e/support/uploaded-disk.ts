import { expect } from 'chai';
import { persistentVolumeClaims, type Pod, pods } from '../../../src/kube/builtin-resources.ts';
import { primeClaimName, uploadPodName } from '../../../src/protocol/object-names.ts';
import { untilSucceeded } from '../../support/data-volumes.ts';
import { productNamespace } from '../../support/environment.ts';
import { readVolume } from '../../support/volume-content.ts';
import type { Suite } from './suite.ts';

/** Waits until a DataVolume has succeeded, and compares its volume with the suite's disk. */
export async function expectUploadedDisk(suite: Suite, name: string): Promise<void> {
  await untilSucceeded(suite.client, suite.key(name));
  const content = await readVolume(suite, suite.key(name), suite.disk.virtualSize);
  expect(content.sha256).to.equal(suite.disk.sha256);
  expect(content.zerosAfter).to.be.true;
}

/** The pod that takes the upload into the claim of a DataVolume. */
export async function uploadServerOf(suite: Suite, name: string): Promise<Pod> {
  const claim = await suite.client.get(persistentVolumeClaims, suite.key(name));
  const pod = await suite.client.get(pods, suite.key(uploadPodName(primeClaimName(claim?.metadata?.uid ?? ''))));
  if (!pod) throw new Error(`${name} has no upload server`);
  return pod;
}

/** The pods of the upload proxy that are not being deleted. */
export async function uploadProxies({ client }: Suite): Promise<Pod[]> {
  const selection = { namespace: productNamespace, labelSelector: 'cdi.kubevirt.io=cdi-uploadproxy' };
  return (await client.list(pods, selection)).filter(({ metadata }) => !metadata?.deletionTimestamp);
}

/** The id of a pod's container, as the container runtime knows it. */
export function containerOf({ status }: Pod): string {
  return status?.containerStatuses?.[0]?.containerID ?? '';
}
