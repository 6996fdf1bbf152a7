import { stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { openTransferAnnotation, transferCheckpointAnnotation } from '../objects/internal-annotations.ts';

/** What an earlier pod has left for the request of the next one. */
export interface Resumption {
  /** Whether the image needs scratch space. */
  readonly scratch: boolean;
  /** The last checkpoint; undefined where there is none, or where it is stored beside the data. */
  readonly checkpoint?: string;
  /** The transfer that may still be open at another system; undefined where there is none. */
  readonly openTransfer?: string;
}

/** Returns what a claim tells of the pods before the next one. */
export function resumptionOf({ metadata }: PersistentVolumeClaim): Resumption {
  const annotations = metadata?.annotations ?? {};
  const checkpoint = annotations[transferCheckpointAnnotation];
  const openTransfer = annotations[openTransferAnnotation];
  return {
    scratch: annotations[stateAnnotation.requiresScratch] === 'true',
    ...(checkpoint ? { checkpoint } : {}),
    ...(openTransfer ? { openTransfer } : {}),
  };
}
