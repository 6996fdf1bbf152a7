/**
 * Hands the volume of a working claim to the target claim without ever risking the data: the volume is set to Retain,
 * the working claim is deleted, the volume's claimRef is pointed at the target, and once that is Bound the reclaim
 * policy is restored. Each step is told by the objects alone, so any of them can be the first after a crash.
 */

/** What the next step depends on. */
export interface RebindWorld {
  readonly target: { readonly uid: string; readonly bound: boolean; readonly volumeName: string | undefined };
  /** The working claim, while it exists. */
  readonly working: { readonly uid: string; readonly deleting: boolean } | undefined;
  /** The volume being handed over. */
  readonly volume: {
    readonly name: string;
    readonly reclaimPolicy: string;
    readonly claimUid: string | undefined;
    /** The uid of the claim that the volume is promised to, from its annotation. */
    readonly promisedTo: string | undefined;
    /** The uid of the claim that hands it over, from its annotation. */
    readonly promisedBy: string | undefined;
  };
}

/** The one thing to do next; `wait` says what for. */
export type RebindStep =
  | { readonly do: 'retain' }
  | { readonly do: 'delete-working-claim' }
  | { readonly do: 'point-at-target' }
  | { readonly do: 'restore-policy' }
  /** The claim names another volume, once and for all: nothing can be handed to it. */
  | { readonly do: 'abandon' }
  | { readonly do: 'wait'; readonly for: string }
  | { readonly do: 'nothing' };

/** Decides the next step of a rebind. */
export function nextRebindStep({ target, working, volume }: RebindWorld): RebindStep {
  const promised = volume.promisedTo === target.uid;
  if (target.bound && target.volumeName === volume.name) return promised ? { do: 'restore-policy' } : { do: 'nothing' };
  if (target.volumeName !== undefined && target.volumeName !== volume.name) return { do: 'abandon' };
  if (volume.claimUid === target.uid) return { do: 'wait', for: `the claim to be bound to volume ${volume.name}` };
  // A claim may name any volume. Whose one is that is not promised yet, only the volume itself tells.
  const giver = promised ? (volume.promisedBy ?? volume.claimUid) : working?.uid;
  if (volume.claimUid !== undefined && volume.claimUid !== giver) {
    return { do: 'wait', for: `volume ${volume.name}, which is another claim's` };
  }
  if (!promised && volume.claimUid === undefined)
    return { do: 'wait', for: `volume ${volume.name} to be the working claim's` };
  if (!promised || volume.reclaimPolicy !== 'Retain') return { do: 'retain' };
  // Its deletion cannot be taken back.
  if (working?.uid === giver && !working?.deleting) return { do: 'delete-working-claim' };
  return { do: 'point-at-target' };
}
