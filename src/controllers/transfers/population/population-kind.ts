import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Informer } from '../../../kube/informer.ts';
import type { KubeObject, Resource } from '../../../kube/resource.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ConfigView } from '../../runtime/config-view.ts';
import type { TransferWords } from '../transfer-kind.ts';

/** What one kind of population declares about itself: a transfer into a working claim, whose volume is handed over. */
export interface PopulationKind<Source extends KubeObject> {
  /** Name of the controller. */
  readonly name: string;
  readonly fieldManager: string;
  /** Resource of the objects that claims name in their dataSourceRef. */
  readonly resource: Resource<Source>;
  /** What waits for such an object, in a sentence: "import". */
  readonly work: string;
  readonly words: TransferWords;
  /** Annotation of a claim with the name of the transfer's pod. */
  readonly podNameAnnotation: string;
  /** Returns the cache of such objects. */
  cacheOf(this: void, caches: Caches): Informer<Source>;
  /** Returns the annotations of the working claim that request the transfer. */
  requestAnnotations(
    this: void,
    source: Source,
    target: PersistentVolumeClaim,
    config: ConfigView,
  ): Readonly<Record<string, string>>;
  /** Returns further annotations of the working claim that its target claim shows as well. */
  shownAnnotations?(this: void, annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /**
   * Requires that an object may fill a claim.
   *
   * @throws WaitingError
   */
  requireTarget?(this: void, source: Source, target: PersistentVolumeClaim): void;
}
