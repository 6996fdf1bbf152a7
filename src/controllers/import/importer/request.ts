import { populationAnnotation as names, stateAnnotation, userAnnotation } from '../../../api/annotations.ts';
import { stagedSourceNames } from '../../../api/import-stages.ts';
import type { Annotations, ImportSettings } from '../../../api/sources/common/declaration.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError } from '../../../kube/errors.ts';
import type { SourceRequest } from '../../../protocol/source-request.ts';
import type { ImportRequest, TransferTarget } from '../../../protocol/transfer-pod.ts';
import { resumptionOf } from '../../transfers/resumption.ts';
import { stageOf } from '../stages/stage-annotations.ts';
import { askedSource, namedSource } from './asked-source.ts';
import { importDependenciesOf } from './dependencies.ts';

/** Returns whether the claim's annotations request an import into it. */
export function isImportClaim(claim: PersistentVolumeClaim): boolean {
  const annotations = claim.metadata?.annotations ?? {};
  return annotations[names.importEndpoint] !== undefined || annotations[names.importSource] !== undefined;
}

function sourceRequestOf(annotations: Annotations, settings: ImportSettings): SourceRequest {
  const request = askedSource(annotations).toRequest(annotations, settings);
  if ('refusal' in request) throw new TerminalError('UnsupportedSource', request.refusal);
  return request;
}

function statedFormat(format: string | undefined): Pick<ImportRequest, 'format'> {
  if (!format) return {};
  if (format === 'raw') return { format };
  throw new TerminalError(
    'UnsupportedFormat',
    `The annotation ${userAnnotation.importFormat} is "${format}"; raw is all that it can say: other formats are known by their content`,
  );
}

/** @throws TerminalError UnsupportedSource where the source has no snapshots to import up to */
function stageToImport(annotations: Annotations): Pick<ImportRequest, 'stage'> {
  const stage = stageOf(annotations);
  if (!stage) return {};
  const source = namedSource(annotations);
  if (source?.hasCheckpoints) return { stage };
  throw new TerminalError(
    'UnsupportedSource',
    `An import from ${source?.name} has no stages: the annotation ${stateAnnotation.checkpointCurrent} is for ${stagedSourceNames}`,
  );
}

/**
 * Returns the complete request for an importer pod.
 *
 * @throws TerminalError where the annotations request something that the importer does not support
 */
export function importRequestOf(
  claim: PersistentVolumeClaim,
  target: TransferTarget,
  settings: ImportSettings,
): ImportRequest {
  const annotations = claim.metadata?.annotations ?? {};
  return {
    source: sourceRequestOf(annotations, settings),
    target,
    dependencies: importDependenciesOf(claim),
    followsInternalRedirects: settings.hasFeatureGate('ImportFollowsInternalRedirects'),
    ...resumptionOf(claim),
    ...stageToImport(annotations),
    ...statedFormat(annotations[userAnnotation.importFormat]),
  };
}
