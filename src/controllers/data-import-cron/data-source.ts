import type { DataImportCron } from '../../api/data-import-cron.ts';
import { type DataSource, dataSources } from '../../api/data-source.ts';
import { differs } from '../../kube/apply.ts';
import { keyOf } from '../../kube/key.ts';
import type { Configuration } from '../../kube/on-wire.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Form } from './images.ts';
import { labelsOf, newDataSource, ownersOf } from './objects.ts';

/**
 * Makes the managed DataSource, or has it stand for an image. It goes on standing for what it does while nothing is
 * complete.
 *
 * @param dataSource as it is; undefined where there is none
 */
export async function pointDataSource(
  { client }: Pick<ControllerContext, 'client'>,
  cron: DataImportCron,
  dataSource: DataSource | undefined,
  target: Form | undefined,
): Promise<void> {
  const source = target && { [target.kind]: keyOf(target.object) };
  if (!dataSource) {
    await createIfAbsent(client, dataSources, newDataSource(cron, source ?? {}));
    return;
  }
  const { uid, resourceVersion, labels, ownerReferences = [] } = dataSource.metadata;
  const missing = ownersOf(cron).filter((owner) => !ownerReferences.some((other) => other.uid === owner.uid));
  const isSame =
    !differs(labelsOf(cron), labels) &&
    missing.length === 0 &&
    (!source || (!differs(source, dataSource.spec.source) && !differs(dataSource.spec.source, source)));
  if (isSame) return;
  const patch: Configuration<DataSource> = {
    metadata: {
      uid,
      labels: labelsOf(cron),
      ...(missing.length > 0 ? { resourceVersion, ownerReferences: [...ownerReferences, ...missing] } : {}),
    },
    ...(source ? { spec: { source: { pvc: null, snapshot: null, dataSource: null, ...source } } } : {}),
  };
  await client.mergePatch(dataSources, keyOf(dataSource), patch);
}
