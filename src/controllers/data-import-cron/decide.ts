import { dataImportCronAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { keyOf } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { type Failure, failureOf } from './failures.ts';
import type { Storage } from './format.ts';
import { expired } from './garbage.ts';
import { type Form, formsOf, type Image, lastUseOf } from './images.ts';
import { nameFor } from './place.ts';

/** What the images of a DataImportCron depend on. */
export interface CronWorld extends Storage {
  readonly cron: DataImportCron;
  /** Digest of the image to have; undefined while none is known. */
  readonly digest: string | undefined;
  readonly images: readonly Image[];
  /** The managed DataSource, where there is one. */
  readonly dataSource: DataSource | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** How far the newest image is. */
export type Stage =
  | { readonly stage: 'unknown' }
  | { readonly stage: 'complete' }
  | { readonly stage: 'snapshot'; readonly snapshot: Image['snapshot'] }
  | { readonly stage: 'importing'; readonly dataVolume: DataVolume }
  | { readonly stage: 'failed'; readonly failure: Failure }
  /** Another import ends first. */
  | { readonly stage: 'waiting'; readonly dataVolume: DataVolume }
  | { readonly stage: 'missing' };

/** What is to be done about the images of a DataImportCron. */
export interface Plan {
  /** How far the newest image is. */
  readonly newest: Stage;
  /** Name of the newest image. */
  readonly name: string | undefined;
  /** What the DataSource is to stand for; undefined where nothing is complete. */
  readonly target: Form | undefined;
  /** The time to record on the target as that of its last use, in milliseconds since the epoch. */
  readonly usedAt: number | undefined;
  /** Whether the newest image is to be imported. */
  readonly mayImport: boolean;
  /** The claim that a snapshot is to be taken of. */
  readonly toSnapshot: Extract<Form, { kind: 'pvc' }> | undefined;
  /** What is to be deleted, once the DataSource stands for the target. */
  readonly toRemove: readonly KubeObject[];
}

/**
 * Decides what is to be done about the images of a DataImportCron: pure, and from nothing but what there is. What the
 * DataSource stands for is never removed.
 */
export function decide(world: CronWorld): Plan {
  const { cron, digest, images, format, storageClass } = world;
  const name = digest && nameFor(digest, { managedDataSource: cron.spec.managedDataSource, storageClass, images });
  const image = images.find((each) => each.name === name);
  const forms = image ? formsOf(image) : [];
  const complete = forms.find(({ kind }) => kind === format.kind);
  const claim = forms.find((form) => form.kind === 'pvc');
  const underWay = images.find((other) => other.name !== name && isTransferring(other));
  const newest = stageOf(world, { image, isComplete: complete !== undefined, claim, underWay });
  const target = complete ?? lastGood(world, name);
  const others = images.filter((each) => each.name !== name);
  return {
    newest,
    name,
    target,
    usedAt: target && useOf(target, world),
    mayImport: newest.stage === 'missing',
    toSnapshot: newest.stage === 'snapshot' && !image?.snapshot ? claim : undefined,
    toRemove: [
      ...(newest.stage === 'failed' && newest.failure.retryAt <= world.now ? dataVolumeOf(image) : []),
      ...[
        ...(complete && image ? withoutForm(image, complete) : []),
        ...others.filter(isLeftBehind).flatMap(objectsOf),
        ...(complete ? expired(cron, images, keyOf(complete.object).name).flatMap(objectsOf) : []),
      ].filter((object) => !standsFor(world.dataSource, object) && !(target && isOf(target, object))),
    ],
  };
}

function stageOf(
  { cron, digest }: CronWorld,
  found: {
    readonly image: Image | undefined;
    readonly isComplete: boolean;
    readonly claim: Form | undefined;
    readonly underWay: Image | undefined;
  },
): Stage {
  const { image, underWay } = found;
  if (!digest) return { stage: 'unknown' };
  if (found.isComplete) return { stage: 'complete' };
  if (found.claim) return { stage: 'snapshot', snapshot: image?.snapshot };
  const failure = failureOf(cron, digest, image?.dataVolume);
  if (failure) return { stage: 'failed', failure };
  if (image?.dataVolume) return { stage: 'importing', dataVolume: image.dataVolume };
  if (underWay?.dataVolume) return { stage: 'waiting', dataVolume: underWay.dataVolume };
  return { stage: 'missing' };
}

/**
 * Returns the best of what is complete while the newest image is not: the import that was begun last, what the
 * DataSource stands for, or what it stood for before.
 */
function lastGood({ cron, images, dataSource, format }: CronWorld, newest: string | undefined): Form | undefined {
  const begun = cron.status?.currentImports?.[0]?.DataVolumeName;
  const byUse = [...images].sort((a, b) => lastUseOf(b) - lastUseOf(a));
  const candidates = byUse.flatMap(formsOf);
  const isNamed = (name: string | undefined, { object }: Form) => keyOf(object).name === name;
  const current = candidates.find(({ object }) => standsFor(dataSource, object));
  // A claim that is about to become a snapshot goes soon.
  const settled = candidates.filter((form) => form.kind === format.kind || !isNamed(newest, form));
  const latest = settled.find((form) => isNamed(begun, form) && form.kind === format.kind);
  return latest ?? current ?? settled[0];
}

/** Reports whether a DataSource stands for an object, or for the claim of a DataVolume. */
function standsFor(dataSource: DataSource | undefined, object: KubeObject): boolean {
  const { pvc, snapshot } = dataSource?.spec.source ?? {};
  const named = object.kind === 'VolumeSnapshot' ? snapshot : pvc;
  const { namespace, name } = keyOf(object);
  return named?.name === name && (named.namespace || dataSource?.metadata.namespace) === namespace;
}

/** Reports whether an object is a form of an image, or the DataVolume of that form. */
function isOf(form: Form, object: KubeObject): boolean {
  return (
    keyOf(form.object).name === keyOf(object).name && (form.kind === 'snapshot') === (object.kind === 'VolumeSnapshot')
  );
}

/** Reports whether the data of an import is being transferred, and nothing keeps it from going on. */
function isTransferring({ dataVolume }: Image): boolean {
  const { phase = '', conditions = [] } = dataVolume?.status ?? {};
  const running = conditions.find(({ type }) => type === 'Running');
  return phase.endsWith('InProgress') && running?.status === 'True';
}

/** Reports whether an image that is not the newest is incomplete, and will not be completed. */
function isLeftBehind(image: Image): boolean {
  // Where the DataVolume has succeeded, the cache may not know yet that its claim is bound.
  return formsOf(image).length === 0 && image.dataVolume?.status?.phase !== 'Succeeded' && !isTransferring(image);
}

/** Returns the time to record, where a form is not known to be the one that was used last. */
function useOf({ object }: Form, { images, now }: CronWorld): number | undefined {
  const own = images.find(({ name }) => name === keyOf(object).name);
  const others = images.filter((image) => image !== own && formsOf(image).length > 0).map(lastUseOf);
  const last = Math.max(0, ...others);
  const isMarked = object.metadata?.annotations?.[dataImportCronAnnotation.lastUseTime] !== undefined;
  return own && isMarked && lastUseOf(own) > last ? undefined : Math.max(now, last + 1);
}

function dataVolumeOf(image: Image | undefined): KubeObject[] {
  return image?.dataVolume ? [image.dataVolume] : [];
}

/** Returns what an image consists of besides one of its forms. */
function withoutForm(image: Image, { kind }: Form): KubeObject[] {
  return kind === 'pvc' ? (image.snapshot ? [image.snapshot] : []) : sourceOf(image);
}

/** Returns what an image consists of; the claim of a DataVolume goes with it. */
function objectsOf(image: Image): KubeObject[] {
  return [...sourceOf(image), ...(image.snapshot ? [image.snapshot] : [])];
}

function sourceOf({ dataVolume, claim }: Image): KubeObject[] {
  return dataVolume ? [dataVolume] : claim ? [claim] : [];
}
