/**
 * A rebind hands the volume of a working claim over to the target claim without ever risking the data: the volume is
 * set to Retain, the working claim is deleted, the volume's claimRef is pointed at the target, and once the target is
 * Bound the reclaim policy is restored. Each step is derived from the objects alone, so any step can be the first one
 * after a crash.
 */

/** The state that the next step depends on. */
export interface RebindWorld {
  readonly target: { readonly uid: string; readonly bound: boolean; readonly volumeName: string | undefined };
  /** The working claim, as long as it exists. */
  readonly working:
    | {
        readonly uid: string;
        /** Milliseconds since its deletion was requested; undefined where it was not. */
        readonly deletedFor: number | undefined;
        /** Whether a pod mounts it, which Kubernetes waits for before it removes a claim. */
        readonly mounted: boolean;
      }
    | undefined;
  /** The volume that is handed over. */
  readonly volume: {
    readonly name: string;
    readonly reclaimPolicy: string;
    readonly claimUid: string | undefined;
    /** The uid of the claim that the volume is promised to, from the volume's annotation. */
    readonly promisedTo: string | undefined;
    /** The uid of the claim that hands the volume over, from the volume's annotation. */
    readonly promisedBy: string | undefined;
  };
}

/** The time that Kubernetes has to remove a claim that no pod mounts. */
export const REMOVAL_MILLISECONDS = 2_000;

/** The single next step; `wait` says what is being waited for. */
export type RebindStep =
  | { readonly do: 'retain' }
  | { readonly do: 'delete-working-claim' }
  /** The working claim is deleted without waiting for Kubernetes to remove it. */
  | { readonly do: 'force-working-claim' }
  | { readonly do: 'point-at-target' }
  | { readonly do: 'restore-policy' }
  /** The claim names another volume, which is immutable, so nothing can be handed to it. */
  | { readonly do: 'abandon' }
  /** Something else has to happen; `after` is the milliseconds until the next look should no watch trigger one. */
  | { readonly do: 'wait'; readonly for: string; readonly after?: number }
  | { readonly do: 'nothing' };

/** Decides the next step of a rebind. */
export function nextRebindStep({ target, working, volume }: RebindWorld): RebindStep {
  const promised = volume.promisedTo === target.uid;
  if (target.bound && target.volumeName === volume.name) return promised ? { do: 'restore-policy' } : { do: 'nothing' };
  if (target.volumeName !== undefined && target.volumeName !== volume.name) return { do: 'abandon' };
  if (volume.claimUid === target.uid) return { do: 'wait', for: `the claim to be bound to volume ${volume.name}` };
  // A claim may name any volume, so the owner of a volume that is not promised yet is known only from the volume
  // itself.
  const giver = promised ? (volume.promisedBy ?? volume.claimUid) : working?.uid;
  if (volume.claimUid !== undefined && volume.claimUid !== giver) {
    return { do: 'wait', for: `volume ${volume.name}, which is another claim's` };
  }
  if (!promised && volume.claimUid === undefined)
    return { do: 'wait', for: `volume ${volume.name} to be the working claim's` };
  if (!promised || volume.reclaimPolicy !== 'Retain') return { do: 'retain' };
  if (working !== undefined && working.uid === giver) {
    // The deletion of a claim cannot be undone, so the volume must be set to Retain before.
    if (working.mounted || (working.deletedFor ?? 0) > REMOVAL_MILLISECONDS) return { do: 'force-working-claim' };
    if (working.deletedFor === undefined) return { do: 'delete-working-claim' };
    return { do: 'wait', for: `the claim of volume ${volume.name} to be removed`, after: REMOVAL_MILLISECONDS };
  }
  return { do: 'point-at-target' };
}
