import { stateAnnotation } from '../../../api/annotations.ts';
import { configMaps, secrets, services } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyOf } from '../../../kube/key.ts';
import { bundleName, signers } from '../../../protocol/installation.ts';
import { uploadPodName } from '../../../protocol/object-names.ts';
import type { UploadRequest } from '../../../protocol/transfer-pod.ts';
import { fetchHealth } from '../../progress/fetch-progress.ts';
import { PodPoll } from '../../progress/pod-poll.ts';
import { cachedConfigMap, cachedSecret } from '../../runtime/installation-objects.ts';
import { onSelectedNodes } from '../../transfers/node-selector.ts';
import { READY_INTERVAL_MILLISECONDS } from '../../transfers/ready-interval.ts';
import type { TransferKind } from '../../transfers/transfer-kind.ts';
import { uploadWords } from '../words.ts';
import { isUploadClaim, uploadRequestOf } from './request.ts';
import { ServerSecrets } from './server-secret.ts';
import { ServerServices } from './server-service.ts';
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
  // Nobody can reach its server any more.
  outlivesCdi: false,
  rights: [
    { resource: services, verbs: ['get', 'create', 'delete'] },
    // The keys of a server are created for one upload, and only its pod reads them.
    { resource: secrets, verbs: ['create', 'delete'] },
    { resource: secrets, verbs: ['list', 'watch'], within: 'installation', names: [authority] },
    { resource: configMaps, verbs: ['list', 'watch'], within: 'installation', names: [clients] },
  ],
  isRequested: isUploadClaim,
  podName: (claim) => uploadPodName(keyOf(claim).name),
  requestOf: uploadRequestOf,
  operate(context, host) {
    const { caches, config } = context;
    const trust = {
      authority: cachedSecret(host, config.namespace, authority),
      clients: cachedConfigMap(host, config.namespace, clients),
    };
    const keys = new ServerSecrets(context, trust);
    const serverServices = new ServerServices(context);
    // The probe of a kubelet asks once a second, and tells of each pod that is not ready at once by a warning.
    const health = new PodPoll({ fetch: fetchHealth, interval: READY_INTERVAL_MILLISECONDS });
    const uploads = () => caches.claims.list().filter(isUploadClaim).map(keyOf);
    return {
      watches: [enqueueFrom(trust.authority, uploads), enqueueFrom(trust.clients, uploads)],
      async preparePod(claim, request, plan) {
        requireNotInUse(caches, claim);
        await Promise.all([serverServices.provide(claim), keys.provide(claim)]);
        const { annotations = {} } = claim.metadata ?? {};
        const settings = onSelectedNodes(config.transferSettings, annotations, { replaces: false });
        return uploadServerPod(claim, request, plan, settings);
      },
      isReady: async (pod) => (await health.poll(pod))?.answer ?? false,
      async maintain(claim) {
        await Promise.all([serverServices.maintain(claim), keys.renew(claim)]);
      },
      async cleanUp(claim) {
        await serverServices.remove(claim);
        await keys.remove(claim);
      },
    };
  },
};
