import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import type { EventSource } from '../../kube/event-source.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import type { ConfigView } from '../runtime/config-view.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Right } from '../runtime/rights.ts';
import type { ControllerHost } from '../runtime/setup.ts';
import type { TransferStages } from './transfer-stages.ts';

/** How one kind of transfer is called in events and conditions. */
export interface TransferWords {
  /** Message of the completed transfer's condition. */
  readonly completed: string;
  /** Reason of the event about success. */
  readonly succeededReason: string;
  /** Beginning of that event's message; the name of the claim follows. */
  readonly succeeded: string;
  /** Reason of the event about a failure, where its cause is not published as a reason itself. */
  readonly failedReason: string;
}

/** What a transfer's pod is made of, besides its request. */
export interface PodPlan {
  /** The claim that the user knows, which owns the pod. */
  readonly owner: OwnerReference;
  /** Number of failed pods before this one. */
  readonly restarts: number;
}

/** What one kind of transfer that a single pod carries out declares about itself. */
export interface TransferKind<Request extends { readonly scratch: boolean } = { readonly scratch: boolean }> {
  /** Name of the controller. */
  readonly name: string;
  readonly fieldManager: string;
  readonly words: TransferWords;
  /** Annotation of a claim with the name of its pod. */
  readonly podNameAnnotation: string;
  /** Whether a pod of CDI can come to its end after Diskpress has taken CDI's place. */
  readonly outlivesCdi: boolean;
  /** Rights for the objects that the pod needs. */
  readonly rights: readonly Right[];
  /** Returns whether a claim requests the transfer. */
  isRequested(this: void, claim: PersistentVolumeClaim): boolean;
  /** Returns the kind of source that a claim names, for metrics; it may be anything, as users write it. */
  sourceOf?(this: void, claim: PersistentVolumeClaim): string | undefined;
  /** Returns the name of the pod of a claim. */
  podName(this: void, claim: PersistentVolumeClaim): string;
  /**
   * Returns the pod's request.
   *
   * @throws TerminalError where the claim asks for something that the pod does not support
   */
  requestOf(this: void, claim: PersistentVolumeClaim, config: ConfigView): Request;
  /** Starts the work for a kind of transfer in one process of the controllers. */
  operate(this: void, context: ControllerContext, host: ControllerHost): TransferOperation<Request>;
}

/** The part of a kind of transfer that needs the API server. */
export interface TransferOperation<Request> {
  /** Changes of further objects that wake claims. */
  readonly watches?: readonly EventSource[];
  /** The stages of the transfers that have some. */
  readonly stages?: TransferStages;
  /**
   * Creates the objects that a pod needs, and returns the pod, which is yet to be created.
   *
   * @throws WaitingError while they cannot be created
   */
  preparePod(claim: PersistentVolumeClaim, request: Request, plan: PodPlan): Promise<Pod>;
  /** Returns whether a pod with a running container does its work yet; it does by default. */
  isReady?(pod: Pod): Promise<boolean>;
  /** Renews the objects that a running pod needs. */
  maintain?(claim: PersistentVolumeClaim): Promise<void>;
  /** Removes what {@link preparePod} created. */
  cleanUp(claim: PersistentVolumeClaim): Promise<void>;
}
