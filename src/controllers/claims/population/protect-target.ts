import { finalizer } from '../../../api/finalizers.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { hasFinalizer } from '../../../kube/finalizers.ts';
import type { ControllerContext } from '../../runtime/context.ts';

const FIELD_MANAGER = 'diskpress-population';

/**
 * Adds a finalizer to the target claim, which protects it until all objects that are created for it, in other
 * namespaces too, have been removed.
 *
 * @param annotations to be written in the same request
 */
export async function protectTarget(
  { client }: Pick<ControllerContext, 'client'>,
  target: PersistentVolumeClaim,
  annotations?: Readonly<Record<string, string>>,
): Promise<void> {
  if (hasFinalizer(target, finalizer.clonePopulator) && !annotations) return;
  const { name = '', namespace = '', uid = '' } = target.metadata ?? {};
  // This is an apply, because other controllers write to a new claim at the same time, and a patch of all finalizers
  // would conflict with them.
  await client.apply(
    persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace,
        uid,
        finalizers: [finalizer.clonePopulator],
        ...(annotations ? { annotations: { ...annotations } } : {}),
      },
    },
    { fieldManager: FIELD_MANAGER },
  );
}
