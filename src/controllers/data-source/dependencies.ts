import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';

/** The DataSource that a DataVolume is cloned from. */
export function dataSourceKeyOf(dataVolume: DataVolume): Key | undefined {
  const { sourceRef } = dataVolume.spec;
  return sourceRef && { namespace: sourceRef.namespace || keyOf(dataVolume).namespace, name: sourceRef.name };
}

/** An object that a DataSource or a DataVolume depends on, as the value of an index. */
export function dependency(kind: 'claim' | 'snapshot' | 'dataSource', key: Key): string {
  return `${kind} ${keyToString(key)}`;
}

/** Everything that a DataSource's state depends on. */
export function dependenciesOfDataSource({ spec, status }: DataSource): string[] {
  const sources = [spec.source, ...(status?.source ? [status.source] : [])];
  return sources.flatMap(({ pvc, snapshot, dataSource }) => [
    ...(pvc ? [dependency('claim', pvc)] : []),
    ...(snapshot ? [dependency('snapshot', snapshot)] : []),
    ...(dataSource ? [dependency('dataSource', dataSource)] : []),
  ]);
}

/** What a DataVolume is cloned from, if anything. */
export function dependenciesOfDataVolume(dataVolume: DataVolume): string[] {
  const { pvc, snapshot } = dataVolume.spec.source ?? {};
  const dataSource = dataSourceKeyOf(dataVolume);
  return [
    ...(pvc ? [dependency('claim', pvc)] : []),
    ...(snapshot ? [dependency('snapshot', snapshot)] : []),
    ...(dataSource ? [dependency('dataSource', dataSource)] : []),
  ];
}
