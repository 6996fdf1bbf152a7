import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { defineIndex } from '../../kube/object-index.ts';

/** Returns the key of the DataSource that a DataVolume is cloned from. */
export function dataSourceKeyOf(dataVolume: DataVolume): ObjectKey | undefined {
  const { sourceRef } = dataVolume.spec;
  return sourceRef && { namespace: sourceRef.namespace || keyOf(dataVolume).namespace, name: sourceRef.name };
}

interface References {
  readonly pvc?: ObjectKey | undefined;
  readonly snapshot?: ObjectKey | undefined;
  readonly dataSource?: ObjectKey | undefined;
}

export type DependencyKind = 'claim' | 'snapshot' | 'dataSource';

/** Returns the value that an index has for an object that a DataSource or a DataVolume depends on. */
export function dependency(kind: DependencyKind, key: ObjectKey): string {
  return `${kind} ${keyToString(key)}`;
}

/**
 * Returns a source whose references name their namespaces; an empty one means that of the referring object.
 *
 * @param namespace of the referring object
 */
export function inNamespace<Source extends References>(source: Source, namespace: string): Source {
  const named = Object.entries({ pvc: source.pvc, snapshot: source.snapshot, dataSource: source.dataSource }).flatMap(
    ([field, key]) => (key ? [[field, { ...key, namespace: key.namespace || namespace }] as const] : []),
  );
  return { ...source, ...Object.fromEntries(named) };
}

/** Reports whether a DataSource refers to another namespace, so that it depends on its author's right. */
export function leadsElsewhere(dataSource: DataSource): boolean {
  const { namespace } = keyOf(dataSource);
  const { pvc, snapshot, dataSource: other } = inNamespace(dataSource.spec.source, namespace);
  const key: ObjectKey | undefined = pvc ?? snapshot ?? other;
  return key !== undefined && key.namespace !== namespace;
}

/** Index of DataSources by everything that their state depends on. */
export const byDependencyOfDataSource = defineIndex<DataSource>(({ metadata, spec, status }) => {
  const sources = [spec.source, ...(status?.source ? [status.source] : [])].map((source) =>
    inNamespace(source, metadata.namespace ?? ''),
  );
  return sources.flatMap(({ pvc, snapshot, dataSource }) => [
    ...(pvc ? [dependency('claim', pvc)] : []),
    ...(snapshot ? [dependency('snapshot', snapshot)] : []),
    ...(dataSource ? [dependency('dataSource', dataSource)] : []),
  ]);
});

/** Index of DataVolumes by what they are cloned from, if anything. */
export const byDependencyOfDataVolume = defineIndex<DataVolume>((dataVolume) => {
  const { pvc, snapshot } = inNamespace(dataVolume.spec.source ?? {}, keyOf(dataVolume).namespace);
  const dataSource = dataSourceKeyOf(dataVolume);
  return [
    ...(pvc ? [dependency('claim', pvc)] : []),
    ...(snapshot ? [dependency('snapshot', snapshot)] : []),
    ...(dataSource ? [dependency('dataSource', dataSource)] : []),
  ];
});
