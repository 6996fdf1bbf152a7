import { volumeCloneSources } from '../../../src/api/volume-clone-source.ts';
import { volumeImportSources } from '../../../src/api/volume-import-source.ts';
import { volumeUploadSources } from '../../../src/api/volume-upload-source.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import { eventually } from '../../support/eventually.ts';

/** Between two looks at everything, where it lasts. */
const PAUSE_MILLISECONDS = 250;

const resources: readonly Resource<KubeObject>[] = [
  pods,
  services,
  secrets,
  persistentVolumeClaims,
  volumeSnapshots,
  volumeImportSources,
  volumeUploadSources,
  volumeCloneSources,
];

/** `kind name` of everything that work in these namespaces can make, and of the volumes and snapshots behind it. */
export async function tracesIn(client: KubeClient, namespaces: readonly string[]): Promise<string[]> {
  const inNamespaces = await Promise.all(
    namespaces.flatMap((namespace) => resources.map((resource) => client.list(resource, { namespace }))),
  );
  const volumes = (await client.list(persistentVolumes)).filter(({ spec }) =>
    namespaces.includes(spec?.claimRef?.namespace ?? ''),
  );
  const contents = (await client.list(volumeSnapshotContents)).filter(({ spec }) =>
    namespaces.includes(spec.volumeSnapshotRef.namespace ?? ''),
  );
  return [...inNamespaces.flat(), ...volumes, ...contents]
    .map(({ kind, metadata }) => `${kind} ${metadata?.namespace ?? ''}/${metadata?.name}`)
    .sort();
}

/** Resolves once the namespaces hold what they held before, and nothing else. */
export async function untilNothingElse(
  client: KubeClient,
  namespaces: readonly string[],
  before: readonly string[],
): Promise<void> {
  let left: string[] = [];
  try {
    await eventually(
      'nothing is left',
      async () => {
        left = (await tracesIn(client, namespaces)).filter((trace) => !before.includes(trace));
        return left.length === 0;
      },
      90_000,
      PAUSE_MILLISECONDS,
    );
  } catch (error) {
    throw new Error(`left behind: ${left.join(', ')}`, { cause: error });
  }
}
