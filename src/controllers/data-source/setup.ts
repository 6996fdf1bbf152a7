import { dataSources } from '../../api/data-source.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { byDependencyOfDataSource, dependency, type DependencyKind } from '../references/data-source-of.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { DataSourceReconciler } from './reconciler.ts';

/** Reports on each DataSource whether its source can be cloned. */
export const dataSource: ControllerSetup = {
  rights: [
    { resource: dataSources, verbs: ['patch'] },
    { resource: dataSources, subresource: 'status', verbs: ['patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new DataSourceReconciler(context), {
      watches: [
        enqueueFrom(caches.dataSources, (object) => [keyOf(object), ...dependentsOf('dataSource', object, caches)]),
        enqueueFrom(caches.dataVolumes, (object) => dependentsOf('claim', object, caches)),
        enqueueFrom(caches.claims, (claim) => dependentsOf('claim', claim, caches)),
        enqueueFrom(caches.snapshots, (snapshot) => dependentsOf('snapshot', snapshot, caches)),
      ],
    });
  },
};

/** Returns the keys of the DataSources that depend on an object. */
function dependentsOf(
  kind: DependencyKind,
  object: KubeObject,
  { dataSources: found }: Pick<Caches, 'dataSources'>,
): ObjectKey[] {
  return found.byIndex(byDependencyOfDataSource, dependency(kind, keyOf(object))).map(keyOf);
}
