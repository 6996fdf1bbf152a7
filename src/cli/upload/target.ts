import { userAnnotation } from '../../api/annotations.ts';
import { TransferError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyToString, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { clusterFailures } from './cluster-failures.ts';

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

/** A kind of object that a disk image is uploaded into. */
export interface TargetKind<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Returns a new object. */
  object(key: ObjectKey, wanted: NewTarget): T;
  /** Says why an object cannot be uploaded into; undefined where it can. */
  unfitness(found: T, contentType: NewTarget['contentType']): string | undefined;
  /** Returns how far an object is. Pure. */
  state(found: T): TargetState;
}

/** An object of the cluster that a disk image is uploaded into. */
export class UploadTarget<T extends KubeObject = KubeObject> {
  /** `DataVolume namespace/name`, for people. */
  readonly shown: string;
  readonly #client: KubeClient;
  readonly #kind: TargetKind<T>;
  readonly #key: ObjectKey;

  constructor(client: KubeClient, kind: TargetKind<T>, key: ObjectKey) {
    this.shown = `${kind.resource.kind} ${keyToString(key)}`;
    this.#client = client;
    this.#kind = kind;
    this.#key = key;
  }

  /**
   * Reports whether it exists.
   *
   * @throws TransferError InvalidRequest where it is not for uploads of such content, or has its data already
   */
  async exists(contentType: NewTarget['contentType'], signal: AbortSignal): Promise<boolean> {
    const found = await this.#get(signal);
    if (found === undefined) return false;
    const unfit = this.#kind.unfitness(found, contentType);
    if (unfit !== undefined) throw new TransferError('InvalidRequest', `${this.shown} ${unfit}`);
    return true;
  }

  /** @throws TransferError */
  async create(wanted: NewTarget, signal: AbortSignal): Promise<void> {
    const object = this.#kind.object(this.#key, wanted);
    await clusterFailures(`making ${this.shown}`, () => this.#client.create(this.#kind.resource, object, { signal }));
  }

  /**
   * Has the claim bound although no pod uses it.
   *
   * @throws TransferError
   */
  async bindImmediately(signal: AbortSignal): Promise<void> {
    const resource: Resource<KubeObject> = this.#kind.resource;
    const patch = { metadata: { annotations: { [userAnnotation.bindImmediateRequested]: 'true' } } };
    await clusterFailures(`annotating ${this.shown}`, () =>
      this.#client.mergePatch(resource, this.#key, patch, { signal }),
    );
  }

  /** @throws TransferError NotFound where it was deleted */
  async state(signal: AbortSignal): Promise<TargetState> {
    const found = await this.#get(signal);
    if (found === undefined) throw new TransferError('NotFound', `${this.shown} was deleted`);
    return this.#kind.state(found);
  }

  #get(signal: AbortSignal): Promise<T | undefined> {
    return clusterFailures(`reading ${this.shown}`, () => this.#client.get(this.#kind.resource, this.#key, { signal }));
  }
}
