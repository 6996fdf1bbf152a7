import type { StorageClasses } from '../../support/storage-classes.ts';

/** A kind of clone, and how long it may take. */
export interface CloneRow {
  readonly name: string;
  /** `told`: copied by pods, from a driver that tells of blocks. */
  readonly role: 'csiClone' | 'snapshot' | 'copy' | 'told';
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly source: 'small' | 'large';
  readonly otherNamespace?: true;
  readonly grows?: true;
  /** Whether there is an earlier clone already, since which a hundredth of the disk has changed. */
  readonly repeated?: true;
  /** So many at once. */
  readonly count?: number;
  /** Seconds from creation to success; given what the usual tool takes, for a large source. */
  readonly aim: (reference: number) => number;
}

/** The disks that are cloned, in MiB. */
export const disks = {
  small: { size: '200Mi', mebibytes: 128, data: 20 },
  large: { size: '9Gi', mebibytes: 8192, data: 1434 },
} as const;

const filesystem = { volumeMode: 'Filesystem', source: 'small' } as const;
const block = { volumeMode: 'Block', source: 'small' } as const;
const largeBlock = { volumeMode: 'Block', source: 'large' } as const;
const seconds = (limit: number) => () => limit;
const besideTool = (reference: number) => 1.3 * reference + 6;

export const rows: readonly CloneRow[] = [
  { name: 'csi-clone', role: 'csiClone', ...filesystem, aim: seconds(0.6) },
  { name: 'csi-clone, other namespace', role: 'csiClone', ...filesystem, otherNamespace: true, aim: seconds(1.5) },
  { name: 'csi-clone that grows', role: 'csiClone', ...filesystem, grows: true, aim: seconds(4) },
  { name: 'csi-clone that grows, Block', role: 'csiClone', ...block, grows: true, aim: seconds(4) },
  { name: 'snapshot', role: 'snapshot', ...filesystem, aim: seconds(2.5) },
  { name: 'snapshot, other namespace', role: 'snapshot', ...filesystem, otherNamespace: true, aim: seconds(3) },
  { name: 'snapshot that grows, Block', role: 'snapshot', ...block, grows: true, aim: seconds(4) },
  { name: '50 csi-clones at once', role: 'csiClone', ...filesystem, count: 50, aim: seconds(20) },
  { name: 'copy of 20 MB', role: 'copy', ...filesystem, aim: seconds(6) },
  { name: 'copy of 20 MB, other namespace', role: 'copy', ...filesystem, otherNamespace: true, aim: seconds(7) },
  { name: 'copy of 1.4 GiB in 8 GiB', role: 'copy', volumeMode: 'Filesystem', source: 'large', aim: besideTool },
  { name: 'copy of 1.4 GiB in 8 GiB, Block', role: 'copy', ...largeBlock, aim: besideTool },
  { name: 'copy of 1.4 GiB in 8 GiB, Block, blocks told', role: 'told', ...largeBlock, aim: besideTool },
  { name: 'repeated copy, 1 % changed since, Block', role: 'told', ...largeBlock, repeated: true, aim: seconds(5) },
];

/** The class for rows whose driver tells of blocks. */
export const TOLD_CLASS = 'diskpress-bench-told';

/** The class that a row needs; undefined where the cluster has none such. */
export const classOf = ({ role }: CloneRow, classes: StorageClasses): string | undefined =>
  // Only the test cluster can be given another driver.
  role !== 'told' ? classes[role] : classes.local && TOLD_CLASS;
