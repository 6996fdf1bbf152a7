import { type DataImportCron, dataImportCrons } from '../../api/data-import-cron.ts';
import { dataSources } from '../../api/data-source.ts';
import { dataVolumes } from '../../api/data-volume.ts';
import { DATA_IMPORT_CRON_LABEL } from '../../api/labels.ts';
import { namespaces, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { enqueueFrom, type EventSource } from '../../kube/event-source.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import type { ImagePoller } from '../image-polls/image-poller.ts';
import { SourcePoller } from '../image-polls/source-poller.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Right } from '../runtime/rights.ts';
import { type ControllerSetup, MANY_WORKERS } from '../runtime/setup.ts';
import { byManagedDataSource } from './management.ts';
import { registerDataImportCronMetrics } from './metrics.ts';
import type { PollMemory } from './polls/poll-memory.ts';
import { PollMetrics } from './polls/poll-metrics.ts';
import { ImagePollReconciler } from './polls/reconciler.ts';
import { DataImportCronReconciler } from './reconciler.ts';

/** Most looks that wait at once, most of them for their turn at a server. */
const POLL_WORKERS = 64;

const rights: readonly Right[] = [
  { resource: dataImportCrons, verbs: ['patch'] },
  { resource: dataImportCrons, subresource: 'status', verbs: ['patch'] },
  { resource: dataVolumes, verbs: ['get', 'create', 'patch', 'delete'] },
  { resource: dataSources, verbs: ['get', 'create', 'patch'] },
  { resource: persistentVolumeClaims, verbs: ['patch', 'delete'] },
  { resource: volumeSnapshots, verbs: ['get', 'create', 'patch', 'delete'] },
  // The age of the source's namespace is compared with that of the DataImportCron.
  { resource: namespaces, verbs: ['get'] },
];

/** Keeps the images of DataImportCrons fresh, as a poller finds new versions of them. */
export function dataImportCronWith(pollerOf: (context: ControllerContext) => ImagePoller): ControllerSetup {
  return {
    rights,
    setup(host, context) {
      const { caches } = context;
      const { registry } = host.metrics;
      const memory: PollMemory = new Map();
      const metrics = new PollMetrics(registry);
      host.addController(new ImagePollReconciler(context, { poller: pollerOf(context), memory, metrics }), {
        workers: POLL_WORKERS,
        watches: [enqueueFrom(caches.dataImportCrons)],
      });
      host.addController(new DataImportCronReconciler(context, memory), {
        workers: MANY_WORKERS,
        watches: watchesOf(caches),
      });
      registerDataImportCronMetrics(registry, caches);
    },
  };
}

/** The controllers of DataImportCrons, which look at the servers of sources themselves. */
export const dataImportCron = dataImportCronWith(({ client, config }) => new SourcePoller({ client, config }));

function watchesOf(caches: Caches): EventSource[] {
  const all = () => caches.dataImportCrons.list().map(keyOf);
  return [
    enqueueFrom(caches.dataImportCrons, (cron) => [keyOf(cron), ...sharingWith(cron, caches)]),
    enqueueFrom(caches.dataVolumes, cronOf),
    enqueueFrom(caches.claims, cronOf),
    enqueueFrom(caches.snapshots, cronOf),
    enqueueFrom(caches.dataSources, (dataSource) => [...cronOf(dataSource), ...managersOf(dataSource, caches)]),
    // What storage there is concerns many, and changes seldom.
    enqueueFrom(caches.storageClasses, all),
    enqueueFrom(caches.storageProfiles, all),
    enqueueFrom(caches.snapshotClasses, all),
  ];
}

/** Returns the key of the DataImportCron that an object has the label of. */
function cronOf({ metadata }: KubeObject): ObjectKey[] {
  const name = metadata?.labels?.[DATA_IMPORT_CRON_LABEL];
  return name ? [{ namespace: metadata?.namespace ?? '', name }] : [];
}

function managersOf(dataSource: KubeObject, { dataImportCrons: crons }: Pick<Caches, 'dataImportCrons'>): ObjectKey[] {
  const { namespace, name } = keyOf(dataSource);
  return crons.byIndex(byManagedDataSource, `${namespace}/${name}`).map(keyOf);
}

/** Returns the keys of the DataImportCrons that wait for another one to give up its DataSource. */
function sharingWith({ metadata, spec }: DataImportCron, caches: Pick<Caches, 'dataImportCrons'>): ObjectKey[] {
  return managersOf({ metadata: { namespace: metadata.namespace ?? '', name: spec.managedDataSource } }, caches);
}
