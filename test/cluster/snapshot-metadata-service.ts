import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubernetesObjectApi } from '@kubernetes/client-node';
import type { Identity } from './identity.ts';
import { nodeFolder } from './identity.ts';
import { networkOf, nodeNetworkOf } from './network.ts';
import { connectTo } from './objects.ts';
import { snapshotMetadataBinary } from './parts.ts';
import { Authority } from './pki.ts';
import { readState } from './state.ts';

const PORT = 50051;

/** The sidecar by which clients ask a CSI driver about the blocks of its snapshots. */
export interface BlockMetadataService {
  readonly program: string;
  /** Besides the driver's socket. */
  readonly args: readonly string[];
  /** Removes what tells clients of it. */
  remove(): Promise<void>;
}

/** Makes certificates for the sidecar of a driver, and the object by which clients find it; it is not started yet. */
export async function blockMetadataService(
  cluster: Identity,
  node: string,
  driver: string,
): Promise<BlockMetadataService> {
  const program = await snapshotMetadataBinary();
  const state = await readState(cluster);
  if (!state) throw new Error(`cluster ${cluster.name} does not run`);
  const { address } = nodeNetworkOf(networkOf(state.block), state.nodes.indexOf(node) + 1);
  const authority = await Authority.create(`snapshot metadata of ${driver}`);
  const { certificate, key } = await authority.issue({ commonName: driver, names: [address] });
  const folder = join(nodeFolder(cluster, node), `metadata-${driver}`);
  await mkdir(folder, { recursive: true });
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key, { mode: 0o600 });
  const api = KubernetesObjectApi.makeApiClient(connectTo(cluster.kubeconfig));
  const object = {
    apiVersion: 'cbt.storage.k8s.io/v1beta1',
    kind: 'SnapshotMetadataService',
    metadata: { name: driver },
    spec: {
      address: `${address}:${PORT}`,
      audience: `blocks.${driver}`,
      caCert: Buffer.from(authority.certificate).toString('base64'),
    },
  };
  const remove = async (): Promise<void> => {
    await api.delete(object).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  // One that an earlier process has left names another authority.
  await api.delete(object).catch(() => undefined);
  await api.create(object);
  const args = [
    `--kubeconfig=${cluster.kubeconfig}`,
    `--port=${PORT}`,
    `--tls-cert=${files.certificate}`,
    `--tls-key=${files.key}`,
  ];
  return { program, args, remove };
}
