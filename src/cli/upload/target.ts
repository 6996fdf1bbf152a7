/** How far a target is with its upload. */
export type TargetStage =
  /** It is being made ready. */
  | 'preparing'
  /** Nothing happens until a pod uses the claim, or somebody has it bound at once. */
  | 'unconsumed'
  /** It waits for the image, or for the rest of it. */
  | 'ready'
  | 'succeeded'
  | 'failed';

export interface TargetState {
  readonly stage: TargetStage;
  /** What it waits for, or why it failed; for people. */
  readonly message: string;
  /** The claim that tokens are requested for. */
  readonly claimName: string;
}

/** What a new target should be. */
export interface NewTarget {
  /** Size of the disk, or of the volume for files: a quantity. */
  readonly size: string;
  /**
   * Size that a Filesystem volume needs besides its disk, as a fraction of that; undefined where the cluster adds it to
   * the size of claims.
   */
  readonly filesystemOverhead: number | undefined;
  readonly contentType: 'kubevirt' | 'archive';
  readonly storageClassName?: string | undefined;
  readonly accessMode?: 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod' | undefined;
  readonly volumeMode?: 'Filesystem' | 'Block' | undefined;
  readonly bindsImmediately: boolean;
}

/** An object of the cluster that a disk image is uploaded into. Methods throw TransferError. */
export interface UploadTarget {
  /** `DataVolume namespace/name`, for people. */
  readonly shown: string;
  /**
   * Reports whether it exists.
   *
   * @throws TransferError InvalidRequest where it is not for uploads of such content, or has its data already
   */
  exists(contentType: NewTarget['contentType'], signal: AbortSignal): Promise<boolean>;
  create(wanted: NewTarget, signal: AbortSignal): Promise<void>;
  /** Has the claim bound although no pod uses it. */
  bindImmediately(signal: AbortSignal): Promise<void>;
  /** @throws TransferError NotFound where it was deleted */
  state(signal: AbortSignal): Promise<TargetState>;
}
