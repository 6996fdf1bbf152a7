import { finalizer } from '../../../api/finalizers.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { hasFinalizer } from '../../../kube/finalizers.ts';
import type { ControllerContext } from '../../runtime/context.ts';

const FIELD_MANAGER = 'diskpress-population';

/**
 * Keeps the target claim until everything that is made for it, in other namespaces too, has been seen to.
 *
 * @param annotations what is to be written in the same moment
 */
export async function protectTarget(
  { client }: Pick<ControllerContext, 'client'>,
  target: PersistentVolumeClaim,
  annotations?: Readonly<Record<string, string>>,
): Promise<void> {
  if (hasFinalizer(target, finalizer.clonePopulator) && !annotations) return;
  const { name = '', namespace = '', uid = '' } = target.metadata ?? {};
  // An apply, because others write to a new claim at the same time, and a patch of all finalizers would conflict with them.
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
