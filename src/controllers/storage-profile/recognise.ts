import { accessModes, volumeModes } from '../../api/persistent-volume-claim-spec.ts';
import type { RecognizedReason } from '../../api/storage-profile.ts';
import { NO_PROVISIONER, type PersistentVolume, type StorageClass } from '../../kube/builtin-resources.ts';
import type { Capabilities, Claim } from './capabilities.ts';
import { knownProvisioners, notForDisks } from './known-provisioners.ts';

/** What is known about a StorageClass, and whether it suffices to create claims of it. */
export interface Recognition {
  readonly reason: RecognizedReason;
  readonly message: string;
  readonly capabilities: Capabilities;
}

const NOTHING: Capabilities = { claims: [] };
const GIVE_THEM = "give the StorageProfile's spec claimPropertySets, or each DataVolume its accessModes";

/**
 * Determines what is known about a StorageClass.
 *
 * @param volumes the volumes of the class, which are the only information about manually created volumes
 */
export function recognise(storageClass: StorageClass, volumes: readonly PersistentVolume[]): Recognition {
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) return recogniseStatic(volumes);
  if (notForDisks.has(provisioner)) {
    const message = `${provisioner} makes no volumes that could hold a disk`;
    return { reason: 'RecognizedProvisioner', message, capabilities: NOTHING };
  }
  const known = Object.hasOwn(knownProvisioners, provisioner) ? knownProvisioners[provisioner] : undefined;
  if (!known) return unrecognised(provisioner, NOTHING);
  const capabilities =
    'variants' in known
      ? (known.variants.find(([rule]) => rule(storageClass.parameters ?? {}))?.[1] ?? known.otherwise)
      : known;
  if (!capabilities) {
    return {
      reason: 'UnrecognizedStorageClassParameters',
      message: `What volumes of ${provisioner} can do depends on the StorageClass's parameters, and these are not known; ${GIVE_THEM}`,
      capabilities: NOTHING,
    };
  }
  if (capabilities.claims.length === 0) return unrecognised(provisioner, capabilities);
  return { reason: 'RecognizedProvisioner', message: `${provisioner} is known`, capabilities };
}

function unrecognised(provisioner: string, capabilities: Capabilities): Recognition {
  return {
    reason: 'UnrecognizedProvisioner',
    message: `It is not known which access modes and volume modes ${provisioner} has; ${GIVE_THEM}`,
    capabilities,
  };
}

function recogniseStatic(volumes: readonly PersistentVolume[]): Recognition {
  const claims = accessModes.flatMap((accessMode) =>
    volumeModes
      .filter((volumeMode) =>
        volumes.some(
          ({ spec }) => spec?.accessModes?.includes(accessMode) && (spec.volumeMode ?? 'Filesystem') === volumeMode,
        ),
      )
      .map((volumeMode): Claim => [accessMode, volumeMode]),
  );
  if (claims.length === 0) {
    return {
      reason: 'UnrecognizedProvisioner',
      message: `The class has no volumes yet, from which its access modes and volume modes could be told; make some, or ${GIVE_THEM}`,
      capabilities: NOTHING,
    };
  }
  const message = 'Volumes of the class are made by hand; its capabilities are those of the volumes that there are';
  return { reason: 'RecognizedProvisioner', message, capabilities: { claims } };
}
