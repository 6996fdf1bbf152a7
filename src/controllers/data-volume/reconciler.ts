import { type DataVolume, dataVolumes } from '../../api/data-volume.ts';
import { dataVolumeEventSource } from '../../api/event-source.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { TerminalError, WaitingError } from '../../kube/errors.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { originOfVolume } from '../claims/rebind/foreign-volume.ts';
import { mayBePopulatedNow } from '../claims/wait-for-first-consumer.ts';
import { clonePlanAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { untilNextLook } from '../runtime/latest-warning.ts';
import { reportAnnotations, type TransferReport } from '../transfers/transfer-report.ts';
import { adoptClaim } from './adopt.ts';
import { completeGrant, createObjects } from './create.ts';
import { driverReport } from './driver-clone.ts';
import { eventsOf } from './events.ts';
import { metadataToWrite } from './metadata.ts';
import { type DataVolumeWorld, observe, wasPopulated } from './observation.ts';
import { awaitingClaim, consenting, isPrePopulated } from './pre-populated.ts';
import { QuotaRoom } from './quota-room.ts';
import { releaseOfCdi } from './release-of-cdi.ts';
import { Reporting } from './reporting.ts';
import { sourceKindOf } from './source-kind.ts';
import { passOnStages } from './stages.ts';
import { statusToWrite } from './status.ts';

const FIELD_MANAGER = 'diskpress-data-volume';

/**
 * Creates each DataVolume's claim and the source object that it is populated from, and reports their state on the
 * DataVolume.
 */
export class DataVolumeReconciler implements Reconciler {
  readonly name = 'data-volume';
  readonly #context: ControllerContext;
  readonly #room: QuotaRoom;
  readonly #reporting: Reporting;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#room = new QuotaRoom(context.caches, context.now);
    this.#reporting = new Reporting(context.caches, context.now);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const dataVolume = this.#context.caches.dataVolumes.get(key);
    if (!dataVolume) {
      this.#reporting.forget(key);
      return undefined;
    }
    await releaseOfCdi(this.#context.client, dataVolume);
    if (dataVolume.metadata.deletionTimestamp) return undefined;
    const claim = this.#context.caches.claims.get(key);
    if (claim && controllerOf(claim)?.uid !== dataVolume.metadata.uid) {
      await adoptClaim(this.#context, consenting(dataVolume), claim);
      return undefined;
    }
    if (isPrePopulated(dataVolume)) {
      await (claim ? this.#tell(dataVolume, claim) : this.#report(dataVolume, undefined, awaitingClaim(dataVolume)));
      return undefined;
    }
    if (!claim && !wasPopulated(dataVolume)) {
      // The watch of claims triggers the next reconciliation; a status written before that would be outdated at once.
      await createObjects(this.#context, this.#room, dataVolume);
      return undefined;
    }
    if (claim) await completeGrant(this.#context, dataVolume, claim);
    await passOnStages(this.#context, dataVolume);
    const later = claim ? this.#reporting.untilWorthwhile(dataVolume, claim) : 0;
    if (later > 0) return { requeueAfter: later };
    const report = claim && (await driverReport(this.#context, claim));
    await this.#tell(dataVolume, report ? withReport(claim, report) : claim);
    return report && { requeueAfter: untilNextLook(this.#context, claim) };
  }

  async #tell(dataVolume: DataVolume, claim: PersistentVolumeClaim | undefined): Promise<void> {
    const metadata = claim && metadataToWrite(dataVolume, claim);
    if (!metadata) return this.#report(dataVolume, claim, undefined);
    const { uid } = dataVolume.metadata;
    const key = keyOf(dataVolume);
    const written = await this.#context.client.mergePatch(dataVolumes, key, { metadata: { uid, ...metadata } });
    await this.#report(written, claim, undefined);
  }

  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const dataVolume = this.#context.caches.dataVolumes.get(key);
    if (!dataVolume || !(failure instanceof TerminalError || failure instanceof WaitingError)) return;
    await this.#report(dataVolume, undefined, failure);
  }

  async #report(
    dataVolume: DataVolume,
    claim: PersistentVolumeClaim | undefined,
    failure: TerminalError | WaitingError | undefined,
  ): Promise<void> {
    const { caches, client, events, now } = this.#context;
    const kind = sourceKindOf(dataVolume.spec);
    const world: DataVolumeWorld = {
      dataVolume,
      claim,
      kind,
      failure,
      awaitsConsumer: claim !== undefined && !mayBePopulatedNow(claim, caches),
      hasOwnVolume: claim !== undefined && originOfVolume(caches, claim) === 'own',
    };
    const observed = observe(world);
    const status = statusToWrite(dataVolume, observed, now());
    if (!status) return;
    const component = dataVolumeEventSource(kind);
    const plan = claim?.metadata?.annotations?.[clonePlanAnnotation];
    for (const event of eventsOf(dataVolume, observed, kind, plan)) events.event(dataVolume, { ...event, component });
    await client.applyStatus(
      dataVolumes,
      { apiVersion: dataVolume.apiVersion, kind: dataVolume.kind, metadata: keyOf(dataVolume), status },
      { fieldManager: FIELD_MANAGER },
    );
  }
}

/** Returns the claim with the annotations of a report, without writing them. */
function withReport(claim: PersistentVolumeClaim, report: TransferReport): PersistentVolumeClaim {
  const annotations = { ...claim.metadata?.annotations, ...reportAnnotations(report) };
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}
