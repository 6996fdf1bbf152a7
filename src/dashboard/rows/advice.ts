import { type CloneFallbackReason, cloneFallbackReasons } from '../../api/clone.ts';
import { reasonGroups } from '../../api/reason-groups.ts';

/** Why a clone is a copy, for people. */
const fallbackMeanings: Readonly<Record<CloneFallbackReason, string>> = {
  IncompatibleProvisioners: 'source and target are on different CSI drivers, or one of them is on none',
  NoProvisionerMatch: 'the class of the target is of another CSI driver than the VolumeSnapshot',
  IncompatibleVolumeModes: 'one is a Filesystem volume and the other a Block volume',
  IncompatibleTopology: "the consumer was scheduled to a node that the source's storage does not reach",
  NoVolumeExpansion: 'the target is larger than the source, and its class does not allow expansion',
  NoVolumeSnapshotClass:
    "there is no VolumeSnapshotClass of the source's driver, or not the one that the StorageProfile names",
  NoPopulator: 'the target claim itself is written, which means copying',
};

const remedies = new Map<string, string>(
  reasonGroups.flatMap(({ reasons, course, remedy }) =>
    course === 'ordinary' ? [] : reasons.map((reason) => [reason, plainText(remedy)] as const),
  ),
);

/** Returns what to do about a reason, in Markdown with code spans alone; undefined where nothing is known. */
export function adviceFor(reason: string): string | undefined {
  return remedies.get(reason);
}

/** Returns why a clone is a copy; a reason that is not known is returned as it is, because anybody may write one. */
export function meaningOfFallback(reason: string): string {
  const known = cloneFallbackReasons.find((each) => each === reason);
  return known ? fallbackMeanings[known] : reason;
}

/** Leads to no other page: the documents are not served here. */
function plainText(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
