import { stateAnnotation } from '../../../api/annotations.ts';
import { configMaps, secrets, services } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyOf } from '../../../kube/key.ts';
import { bundleName, signers } from '../../../protocol/installation.ts';
import { uploadPodName } from '../../../protocol/object-names.ts';
import type { UploadRequest } from '../../../protocol/transfer-pod.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { fetchHealth } from '../../progress/fetch-progress.ts';
import { PodPoll } from '../../progress/pod-poll.ts';
import { cachedConfigMap, cachedSecret } from '../../runtime/installation-objects.ts';
import type { TransferKind } from '../../transfers/transfer-kind.ts';
import { READY_INTERVAL_MILLISECONDS } from '../../transfers/transfer-reconciler.ts';
import { transferService, transferServiceKey } from '../../transfers/transfer-service.ts';
import { uploadWords } from '../words.ts';
import { isUploadClaim, uploadRequestOf } from './request.ts';
import { ServerSecrets } from './server-secret.ts';
import { requireNotInUse } from './target-in-use.ts';
import { uploadServerPod } from './upload-server-pod.ts';

const authority = signers.uploadserver;
const clients = bundleName('uploadserver-client');

/** Takes uploads into the claims whose annotations request that. */
export const uploadTransfer: TransferKind<UploadRequest> = {
  name: 'upload',
  fieldManager: 'diskpress-upload',
  words: uploadWords,
  podNameAnnotation: stateAnnotation.uploadPodName,
  rights: [
    { resource: services, verbs: ['get', 'create', 'delete'] },
    // The keys of a server are created for one upload, and only its pod reads them.
    { resource: secrets, verbs: ['create', 'delete'] },
    { resource: secrets, verbs: ['list', 'watch'], within: 'installation', names: [authority] },
    { resource: configMaps, verbs: ['list', 'watch'], within: 'installation', names: [clients] },
  ],
  isRequested: isUploadClaim,
  podName: uploadPodName,
  requestOf: uploadRequestOf,
  operate(context, host) {
    const { client, caches, config } = context;
    const trust = {
      authority: cachedSecret(host, config.namespace, authority),
      clients: cachedConfigMap(host, config.namespace, clients),
    };
    const keys = new ServerSecrets(context, trust);
    // The probe of a kubelet asks once a second, and tells of each pod that is not ready at once by a warning.
    const health = new PodPoll({ fetch: fetchHealth, interval: READY_INTERVAL_MILLISECONDS });
    const uploads = () => caches.claims.list().filter(isUploadClaim).map(keyOf);
    return {
      watches: [enqueueFrom(trust.authority, uploads), enqueueFrom(trust.clients, uploads)],
      async preparePod(claim, request, plan) {
        requireNotInUse(caches, claim);
        await Promise.all([
          createIfAbsent(client, services, transferService(claim, 'upload-server')),
          keys.provide(claim),
        ]);
        return uploadServerPod(claim, request, plan, config.transferSettings);
      },
      isReady: async (pod) => (await health.poll(pod))?.answer ?? false,
      maintain: (claim) => keys.renew(claim),
      async cleanUp(claim) {
        const key = transferServiceKey(claim);
        const service = await client.get(services, key);
        if (service && isMadeFor(service, claim.metadata?.uid)) {
          await client.delete(services, key, { uid: service.metadata?.uid });
        }
        await keys.remove(claim);
      },
    };
  },
};
