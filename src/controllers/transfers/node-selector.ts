import * as z from 'zod';
import { userAnnotation } from '../../api/annotations.ts';
import { TerminalError } from '../../kube/errors.ts';
import type { TransferSettings } from '../runtime/settings.ts';

const labels = z.record(z.string(), z.string());

/**
 * Returns the settings of a pod that fills a claim, on nodes that the claim's annotation selects: a JSON object of the
 * labels that they have.
 *
 * @param options.replaces Whether these labels are required instead of those of CDI.spec.workload, because only some
 *   nodes reach the source. Otherwise they are required in addition, and the installation's win.
 * @throws TerminalError ErrStartingPod where the annotation is no such object
 */
export function onSelectedNodes(
  settings: TransferSettings,
  annotations: Readonly<Record<string, string>>,
  { replaces }: { readonly replaces: boolean },
): TransferSettings {
  const written = annotations[userAnnotation.podNodeSelector];
  if (!written) return settings;
  const selected = readLabels(written);
  const { workloadPlacement } = settings;
  const nodeSelector = replaces ? selected : { ...selected, ...workloadPlacement.nodeSelector };
  return { ...settings, workloadPlacement: { ...workloadPlacement, nodeSelector } };
}

function readLabels(written: string): Record<string, string> {
  try {
    return labels.parse(JSON.parse(written));
  } catch {
    throw new TerminalError(
      'ErrStartingPod',
      `The annotation ${userAnnotation.podNodeSelector} must be a JSON object of node labels, such as ` +
        `{"network":"vmware"}; create the DataVolume or claim again with one`,
    );
  }
}
