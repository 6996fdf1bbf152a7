import { describeMissing } from '../protocol/missing-dependency.ts';
import type { ImportDependency, TransferResult } from '../protocol/transfer-pod.ts';
import { namesIn } from './mounted-secrets.ts';

/**
 * Checks the objects that an import needs. Where one is not mounted, returns the result of a pod that can do nothing
 * without it: a later pod may find the object, because the kubelet mounts a new object only after a while. Undefined
 * where all are mounted.
 */
export async function missingDependency(
  dependencies: readonly ImportDependency[],
): Promise<TransferResult | undefined> {
  for (const dependency of dependencies) {
    const missing = describeMissing(dependency, await namesIn(dependency.path));
    if (missing === undefined) continue;
    const message = `${missing}, and the import starts`;
    return { outcome: 'failed', permanent: false, code: `${dependency.kind}NotFound`, message };
  }
  return undefined;
}
