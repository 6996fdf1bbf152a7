import type { DataImportCron } from '../../api/data-import-cron.ts';
import { namespaces } from '../../kube/builtin-resources.ts';
import { TerminalError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { requirePolicies } from '../runtime/require-policies.ts';

/**
 * Requires that a DataImportCron that clones from another namespace was made while it was checked who may clone from
 * there, and that the namespace is still the one that was meant.
 *
 * @throws WaitingError PolicyMissing while the policies are not in force
 * @throws TerminalError PolicyMissing where the DataImportCron was made before they were; CloneRightExpired where the
 * namespace was made anew
 */
export async function requireAuthority(
  { client, policies }: Pick<ControllerContext, 'client' | 'policies'>,
  cron: DataImportCron,
): Promise<void> {
  const namespace = cron.spec.template.spec.source?.pvc?.namespace;
  const key = keyOf(cron);
  if (!namespace || namespace === key.namespace) return;
  requirePolicies({ policies });
  if (!policies.hasAdmitted('clone-from-data-import-cron.cdi.kubevirt.io', cron)) {
    throw new TerminalError(
      'PolicyMissing',
      `DataImportCron ${keyToString(key)} was made while the admission policies of Diskpress were not in force, so that nobody ` +
        `checked the right to clone from namespace "${namespace}"; make it anew`,
    );
  }
  const made = await client.get(namespaces, { namespace: '', name: namespace });
  if (Date.parse(made?.metadata?.creationTimestamp ?? '') > Date.parse(cron.metadata.creationTimestamp ?? '')) {
    throw new TerminalError(
      'CloneRightExpired',
      `Namespace "${namespace}" was made anew after the right to clone from it was checked; make DataImportCron ${keyToString(key)} anew`,
    );
  }
}
