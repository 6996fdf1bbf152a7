import { type DataSource, dataSources } from '../../api/data-source.ts';
import { differs } from '../../kube/apply.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { conditionsDiffer, withTimes } from '../runtime/conditions.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { labelsToCopy } from './labels.ts';
import { observeDataSource } from './readiness.ts';

const FIELD_MANAGER = 'diskpress-data-source';

/** Reports on each DataSource what its source is, and whether that can be cloned. */
export class DataSourceReconciler implements Reconciler {
  readonly name = 'data-source';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches, client, now } = this.#context;
    const dataSource = caches.dataSources.get(key);
    if (!dataSource || isBeingDeleted(dataSource)) return undefined;
    await this.#label(dataSource);
    const { source, condition } = observeDataSource(caches, dataSource);
    const recorded = dataSource.status;
    const isSame = !differs(source ?? null, recorded?.source) && !differs(recorded?.source ?? null, source);
    if (isSame && !conditionsDiffer([condition], recorded?.conditions)) return undefined;
    await client.applyStatus(
      dataSources,
      {
        metadata: key,
        status: { ...(source ? { source } : {}), conditions: withTimes([condition], recorded?.conditions, now()) },
      },
      { fieldManager: FIELD_MANAGER },
    );
    return undefined;
  }

  async #label(dataSource: DataSource): Promise<void> {
    const labels = labelsToCopy(this.#context, dataSource);
    if (Object.keys(labels).length === 0) return;
    const { uid } = dataSource.metadata;
    await this.#context.client.mergePatch(dataSources, keyOf(dataSource), { metadata: { uid, labels } });
  }
}
