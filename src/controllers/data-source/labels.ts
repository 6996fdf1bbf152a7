import type { DataSource } from '../../api/data-source.ts';
import { leadsElsewhere } from '../references/data-source-of.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { claimLabelsOf } from '../transfers/image-labels.ts';
import { resolveDataSource } from './resolve.ts';

interface LabelContext {
  readonly caches: Pick<Caches, 'dataSources' | 'dataVolumes' | 'claims' | 'snapshots'>;
  readonly policies: Pick<ControllerContext['policies'], 'problem' | 'hasAdmitted'>;
}

/**
 * Returns the labels of KubeVirt's domains that a DataSource should copy from its source, such as the default instance
 * type, without those that it already has. Labels of another namespace are only copied if its author's right to clone
 * from there has been checked. Pure.
 */
export function labelsToCopy({ caches, policies }: LabelContext, dataSource: DataSource): Record<string, string> {
  const { source, ...resolution } = resolveDataSource(caches, dataSource);
  const key = source?.pvc ?? source?.snapshot;
  if (!key || !('through' in resolution)) return {};
  const elsewhere = resolution.through.filter(leadsElsewhere);
  const isAllowed =
    elsewhere.length === 0 ||
    (policies.problem === undefined &&
      elsewhere.every((each) => policies.hasAdmitted('clone-from-data-source.cdi.kubevirt.io', each)));
  if (!isAllowed) return {};
  const labelled = source?.pvc ? [caches.dataVolumes.get(key), caches.claims.get(key)] : [caches.snapshots.get(key)];
  const labels = claimLabelsOf(
    Object.fromEntries(labelled.flatMap((object) => Object.entries(object?.metadata?.labels ?? {}))),
  );
  return Object.fromEntries(
    Object.entries(labels).filter(([name, value]) => dataSource.metadata.labels?.[name] !== value),
  );
}
