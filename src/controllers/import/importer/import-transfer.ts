import { stateAnnotation } from '../../../api/annotations.ts';
import { configMaps, secrets } from '../../../kube/builtin-resources.ts';
import type { ImportRequest } from '../../../protocol/transfer-pod.ts';
import { onSelectedNodes } from '../../transfers/node-selector.ts';
import type { TransferKind } from '../../transfers/transfer-kind.ts';
import { transferTargetOf } from '../../transfers/transfer-target.ts';
import { importPodNameOf, importStages, stageWatches } from '../stages/stages.ts';
import { importWords } from '../words.ts';
import { askedSource, namedSource } from './asked-source.ts';
import { importerPod } from './importer-pod.ts';
import { libraryImageOf, withLibrary } from './library-image.ts';
import { provideProxy, removeProxy } from './proxy.ts';
import { importRequestOf, isImportClaim } from './request.ts';

/** Imports into the claims whose annotations request that. */
export const importTransfer: TransferKind<ImportRequest> = {
  name: 'import',
  fieldManager: 'diskpress-import',
  words: importWords,
  podNameAnnotation: stateAnnotation.importPodName,
  outlivesCdi: true,
  rights: [
    // The import proxy's login and certificates are copied for each import, and the copies are never read.
    { resource: secrets, verbs: ['create', 'delete'] },
    { resource: configMaps, verbs: ['create', 'delete'] },
    { resource: configMaps, verbs: ['get'], within: 'installation' },
  ],
  isRequested: isImportClaim,
  sourceOf: ({ metadata }) => namedSource(metadata?.annotations ?? {})?.name,
  podName: importPodNameOf,
  requestOf: (claim, config) => importRequestOf(claim, transferTargetOf(claim, config), config),
  operate: (context) => ({
    watches: stageWatches(context.caches),
    stages: importStages(context.caches),
    async preparePod(claim, request, { owner, restarts }) {
      const { annotations = {} } = claim.metadata ?? {};
      const { libraryImage, selectsNodes = false } = askedSource(annotations);
      const image = libraryImage && (await libraryImageOf(context, annotations, libraryImage));
      const proxy = await provideProxy(context, claim);
      const settings = onSelectedNodes(context.config.transferSettings, annotations, { replaces: selectsNodes });
      const pod = importerPod(claim, request, proxy, owner, settings, restarts);
      return image ? withLibrary(pod, image, libraryImage) : pod;
    },
    cleanUp: (claim) => removeProxy(context, claim),
  }),
};
