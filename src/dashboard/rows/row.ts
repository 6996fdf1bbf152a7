/** What is watched, and what a reader needs the right to list. */
export const watchedNames = ['datavolumes', 'persistentvolumeclaims', 'dataimportcrons', 'datasources'] as const;
export type Watched = (typeof watchedNames)[number];

/** The states of a row, in the order of their importance to a reader. */
export const states = ['failed', 'waiting', 'running', 'done'] as const;
export type State = (typeof states)[number];

export const kinds = ['clone', 'import', 'upload', 'image', 'other'] as const;
export type Kind = (typeof kinds)[number];

/** Why something does not go on, or is as it is. Both texts are somebody else's. */
export interface Why {
  /** A name in CamelCase; may be empty. */
  readonly reason: string;
  readonly message: string;
}

/** What only the claim of a DataVolume tells, and only who may list claims may know. */
export interface ClaimDetails {
  /** Bytes per second; undefined while nothing is moved. */
  readonly bytesPerSecond?: number | undefined;
  /** The strategy of a clone. */
  readonly strategy?: string | undefined;
  /** The plan of a clone, in words. */
  readonly plan?: string | undefined;
  /** The reason for which a clone is a copy. */
  readonly fallback?: string | undefined;
}

/** One line of the page. Every text in it may have been written by a tenant. */
export interface Row {
  /** The resource and the key of the object. */
  readonly id: string;
  readonly resource: Watched;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly state: State;
  readonly phase: string;
  /** Where the data comes from, for people. */
  readonly source: string;
  /** From 0 to 100. */
  readonly percent?: number | undefined;
  readonly why?: Why | undefined;
  readonly details?: ClaimDetails | undefined;
  /** When the object was made, in milliseconds since the epoch. */
  readonly created: number;
}
