import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { dataVolumeEventSource } from '../../api/event-reasons.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isInvalid, TerminalError, toError } from '../../kube/errors.ts';
import type { ControllerContext } from '../context.ts';
import { createIfAbsent } from '../create-if-absent.ts';
import { volumeCloneSources, volumeImportSources } from '../resources.ts';
import { claimSpecOf } from './claim-spec.ts';
import { sourceOf } from './clone-source.ts';
import { dataVolumeObjects } from './objects.ts';
import { sourceVolumeOf } from './source-volume.ts';
import { hasCsiDriver, requireStorageClass } from './storage-class.ts';

/**
 * Makes a DataVolume's claim and the source object that it is populated from.
 *
 * @throws TerminalError where it asks for what cannot be
 * @throws WaitingError where something that it names is missing
 */
export async function createObjects(context: ControllerContext, dataVolume: DataVolume): Promise<void> {
  const { caches, client, config } = context;
  const source = sourceOf(caches, dataVolume);
  const spec = { ...dataVolume.spec, ...(source ? { source } : {}) };
  delete spec.sourceRef;
  if (source?.upload) {
    throw new TerminalError('UnsupportedSource', 'A DataVolume with an upload source is not supported by this version');
  }
  const storageClassName = requireStorageClass(caches, spec);
  const claimSpec = claimSpecOf(spec, {
    storageClassName,
    profile: caches.storageProfiles.get({ namespace: '', name: storageClassName }),
    filesystemOverhead: config.filesystemOverhead(storageClassName),
    source: await sourceVolumeOf(context, spec, source),
  });
  const usePopulator =
    dataVolume.metadata.annotations?.[userAnnotation.usePopulator] !== 'false' &&
    hasCsiDriver(storageClassName, caches);
  const why = `storage class "${storageClassName}" has no CSI driver, or the annotation ${userAnnotation.usePopulator} is "false"`;
  if (!usePopulator && source?.snapshot) {
    throw new TerminalError('ErrUnableToClone', `A snapshot can only be restored by a CSI driver: ${why}`);
  }
  const objects = dataVolumeObjects({ ...dataVolume, spec }, claimSpec, {
    usePopulator,
    preallocation: spec.preallocation ?? config.preallocation,
  });
  if (objects.importSource) await createIfAbsent(client, volumeImportSources, objects.importSource);
  if (objects.cloneSource) await createIfAbsent(client, volumeCloneSources, objects.cloneSource);
  const directClone = !usePopulator && source?.pvc !== undefined;
  if (directClone) {
    context.events.event(dataVolume, {
      type: 'Warning',
      reason: 'NoPopulator',
      message: `Falling back to a host-assisted copy: ${why}`,
      component: dataVolumeEventSource('clone'),
    });
  }
  await createClaim(client, withAnnotations(objects.claim, directClone, usePopulator));
}

async function createClaim(client: KubeClient, claim: PersistentVolumeClaim): Promise<void> {
  try {
    await createIfAbsent(client, persistentVolumeClaims, claim);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    throw new TerminalError('ErrClaimNotValid', toError(error).message, { cause: error });
  }
}

function withAnnotations(
  claim: PersistentVolumeClaim,
  directClone: boolean,
  usePopulator: boolean,
): PersistentVolumeClaim {
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: {
        ...claim.metadata?.annotations,
        [userAnnotation.usePopulator]: String(usePopulator),
        ...(directClone
          ? { [stateAnnotation.cloneType]: 'copy', [stateAnnotation.cloneFallbackReason]: 'NoPopulator' }
          : {}),
      },
    },
  };
}
