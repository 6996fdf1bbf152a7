import { stateAnnotation } from '../../../api/annotations.ts';
import { finalizer } from '../../../api/finalizers.ts';
import { ownerReference } from '../../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { hasFinalizer, isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { primeClaimName } from '../../../protocol/object-names.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { createWorkingClaim } from '../../claims/population/create-working-claim.ts';
import { endPopulation } from '../../claims/population/end-population.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { populationSource } from '../../claims/population/population-source.ts';
import { removeLostPrime, requireWorkingClaim } from '../../claims/population/prime-of-cdi.ts';
import { protectTarget } from '../../claims/population/protect-target.ts';
import { releaseTarget } from '../../claims/population/release-target.ts';
import { workingClaim } from '../../claims/population/working-claim.ts';
import { ProvisionerGrace } from '../../claims/provisioner-grace.ts';
import { promisedVolume, rebindVolume, requireNoVolume } from '../../claims/rebind/rebind-volume.ts';
import { mayBePopulatedNow } from '../../claims/wait-for-first-consumer.ts';
import { pickAnnotations } from '../../objects/pick-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { reportOnClaim } from '../claim-events.ts';
import { failureReport } from '../failure-report.ts';
import { claimLabelsOf, missingLabels } from '../image-labels.ts';
import { readReport, reportAnnotations } from '../transfer-report.ts';
import type { PopulationKind } from './population-kind.ts';

/**
 * Fills claims whose dataSourceRef names an object of one kind: the data is transferred into a working claim, whose
 * volume is then handed over.
 */
export class PopulationReconciler<Source extends KubeObject> implements Reconciler {
  readonly name: string;
  readonly #kind: PopulationKind<Source>;
  readonly #context: ControllerContext;
  readonly #grace: ProvisionerGrace;

  constructor(kind: PopulationKind<Source>, context: ControllerContext) {
    this.name = kind.name;
    this.#kind = kind;
    this.#context = context;
    this.#grace = new ProvisionerGrace(context.caches, context.now);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const target = this.#context.caches.claims.get(key);
    const sourceName = target && populatedFrom(target, this.#kind.resource.kind);
    if (!target || sourceName === undefined) return undefined;
    const handingOver = promisedVolume(this.#context, target) !== undefined;
    if (isBeingDeleted(target)) return releaseTarget(this.#context, target);
    const primeKey = { namespace: key.namespace, name: primeClaimName(target.metadata?.uid ?? '') };
    if (isBound(target) && !handingOver) return this.#end(target, primeKey);
    if (handingOver) return this.#rebind(target, primeKey);
    requireNoVolume(target);
    const prime = requireWorkingClaim(this.#context.caches.claims.get(primeKey), target.metadata?.uid);
    if (!prime) return this.#begin(target, primeKey, sourceName);
    const left = this.#grace.left(target);
    if (left > 0) return { requeueAfter: left };
    await this.#mirror(target, prime);
    const isComplete = readReport(prime.metadata?.annotations)?.podPhase === 'Succeeded' && isBound(prime);
    return isComplete ? this.#rebind(target, primeKey) : undefined;
  }

  /** Reports on the claim what keeps its transfer from starting. */
  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const target = this.#context.caches.claims.get(key);
    const report = target && failureReport(this.#context, target, failure);
    if (!target || !report) return;
    this.#context.events.event(target, { type: 'Warning', reason: report.reason, message: report.message });
    await annotateClaim(this.#context.client, target, this.#kind.fieldManager, {
      ...reportAnnotations(report),
      [stateAnnotation.populatorKind]: this.#kind.resource.kind,
    });
  }

  async #begin(target: PersistentVolumeClaim, primeKey: ObjectKey, sourceName: string): Promise<Result> {
    const { caches, client, config } = this.#context;
    const source = await populationSource(client, {
      resource: this.#kind.resource,
      cache: this.#kind.cacheOf(caches),
      key: { namespace: primeKey.namespace, name: sourceName },
      work: this.#kind.work,
    });
    this.#kind.requireTarget?.(source, target);
    if (!mayBePopulatedNow(target, caches)) return undefined;
    const left = hasFinalizer(target, finalizer.clonePopulator) ? 0 : this.#grace.left(target);
    if (left > 0) return { requeueAfter: left };
    await protectTarget(this.#context, target);
    const prime = workingClaim(target, {
      ...primeKey,
      owner: ownerReference(target, { controller: true }),
      annotations: {
        ...this.#kind.requestAnnotations(source, target, config),
        [stateAnnotation.populatedFor]: keyOf(target).name,
        [stateAnnotation.populatorKind]: this.#kind.resource.kind,
      },
    });
    await createWorkingClaim(this.#context, target, prime);
    return undefined;
  }

  async #rebind(target: PersistentVolumeClaim, primeKey: ObjectKey): Promise<Result> {
    const outcome = await rebindVolume(this.#context, target, primeKey);
    if (outcome === 'done') return this.#end(target, primeKey);
    return outcome.after === undefined ? undefined : { requeueAfter: outcome.after };
  }

  async #end(target: PersistentVolumeClaim, primeKey: ObjectKey): Promise<Result> {
    await removeLostPrime(this.#context, target, primeKey);
    return endPopulation(this.#context, target);
  }

  /** Copies reports from the working claim to the target claim, which is the one that users and clients look at. */
  async #mirror(target: PersistentVolumeClaim, prime: PersistentVolumeClaim): Promise<void> {
    // Whoever waits for the success finds the labels there.
    const labels = inheritedLabels(prime, target);
    if (Object.keys(labels).length > 0) {
      await this.#context.client.mergePatch(persistentVolumeClaims, keyOf(target), { metadata: { labels } });
    }
    const report = readReport(prime.metadata?.annotations);
    if (report) reportOnClaim(this.#context.events, target, report, this.#kind.words);
    const told = pickAnnotations(prime.metadata?.annotations, [
      this.#kind.podNameAnnotation,
      stateAnnotation.preallocation,
      stateAnnotation.vddkVersion,
      stateAnnotation.vddkHost,
    ]);
    await annotateClaim(this.#context.client, target, this.#kind.fieldManager, {
      [stateAnnotation.populatorPvcPrime]: keyOf(prime).name,
      [stateAnnotation.populatorKind]: this.#kind.resource.kind,
      ...(report ? reportAnnotations(report) : {}),
      ...told,
      ...this.#kind.shownAnnotations?.(prime.metadata?.annotations ?? {}),
    });
  }
}

/**
 * Returns the labels that the importer read from a registry image's environment and that the target does not have yet.
 */
function inheritedLabels(prime: PersistentVolumeClaim, target: PersistentVolumeClaim): Record<string, string> {
  return missingLabels(target, claimLabelsOf(prime.metadata?.labels ?? {}));
}
