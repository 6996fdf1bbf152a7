import { withPulledImage } from '../../src/controllers/import/importer/pulled-image.ts';
import { DEFAULT_POD_RESOURCES, type TransferSettings } from '../../src/controllers/runtime/settings.ts';
import { transferPod, type TransferPodOptions } from '../../src/controllers/transfers/transfer-pod.ts';
import type { Pod } from '../../src/kube/builtin-resources.ts';
import { transferRoleNames } from '../../src/protocol/roles.ts';

const settings: TransferSettings = {
  image: 'diskpress',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  podResources: DEFAULT_POD_RESOURCES,
  workloadPlacement: {},
};

/** A pod of that role, as it is where nothing is configured. */
export const podOf = (
  role: TransferPodOptions['role'],
  name: string = role,
  claim: Partial<TransferPodOptions['claim']> = {},
  claimAnnotations: TransferPodOptions['claimAnnotations'] = {},
  ports: TransferPodOptions['ports'] = [],
): Pod =>
  transferPod(
    {
      name,
      namespace: 'team',
      role,
      env: {},
      claim: { name: 'disk', volumeMode: 'Filesystem', readOnly: false, ...claim },
      mounts: [],
      claimAnnotations,
      worksFor: { metadata: { namespace: 'team', name: 'disk', uid: 'uid-of-disk' } },
      restarts: 0,
      ports,
    },
    settings,
  );

/** A pod of each kind, by what it is. */
export const everyTransferPod: Record<string, Pod> = {
  ...Object.fromEntries(transferRoleNames.map((role) => [`of role ${role}`, podOf(role)])),
  'with a pulled image': withPulledImage(podOf('importer', 'with-pulled-image'), {
    image: 'registry/disk:1',
    secretName: undefined,
    architecture: undefined,
  }),
};
