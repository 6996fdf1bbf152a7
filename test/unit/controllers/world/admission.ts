import { isDeepStrictEqual } from 'node:util';
import { populationAnnotation, stateAnnotation } from '../../../../src/api/annotations.ts';
import type { DataSource } from '../../../../src/api/data-source.ts';
import type { DataVolume } from '../../../../src/api/data-volume.ts';
import { STAGE_FIELDS } from '../../../../src/api/import-stages.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import { refusal, type Write } from './api.ts';

/** What the controllers may not read: of these only a policy tells them what is theirs. */
const UNREAD = ['Secret', 'ConfigMap'];

/**
 * Refuses what the API server refuses by its own rules, those of the CRDs, and the policies of deploy/admission.
 *
 * @param hasAnnotationPolicy whether clone-by-annotation.yaml is among them
 */
export function admission(hasAnnotationPolicy: boolean): (write: Write) => void {
  return (write) => {
    if (write.user === 'cluster') return;
    if (write.user === 'controllers') return limitControllers(write);
    if (!write.after) return;
    requireImmutable(write);
    keepMarks(write);
    if (write.user === 'tenant') requireRight(write);
    if (hasAnnotationPolicy) requireOwnAnnotations(write);
  };
}

/** controller-limits.yaml */
function limitControllers({ resource, before, after }: Write): void {
  const mark = (before ?? after)?.metadata?.annotations?.[workForAnnotation];
  if (UNREAD.includes(resource.kind) && !mark) throw forbidden('the controllers delete only what has their mark');
}

/** A claim that has no volume yet may be given one by name, and a DataVolume further stages of its import. */
function requireImmutable({ resource, before, after }: Write): void {
  if (!before || !['DataVolume', 'PersistentVolumeClaim'].includes(resource.kind)) return;
  const [old, next] = [specOf(before), specOf(after)];
  const isClaim = resource.kind === 'PersistentVolumeClaim';
  const mutable = isClaim ? (old['volumeName'] ? [] : ['volumeName']) : STAGE_FIELDS;
  const allowed = { ...old, ...Object.fromEntries(mutable.map((field) => [field, next[field]])) };
  if (!isDeepStrictEqual(withoutUndefined(allowed), withoutUndefined(next)))
    throw refusal(422, 'Invalid', 'spec is immutable');
}

function specOf(object: KubeObject | undefined): Record<string, unknown> {
  return (object as { spec?: Record<string, unknown> } | undefined)?.spec ?? {};
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** controller-marks.yaml */
function keepMarks({ resource, before, after }: Write): void {
  if (resource.group === 'cdi.kubevirt.io') return;
  const marks = (object: KubeObject | undefined) =>
    Object.entries(object?.metadata?.annotations ?? {}).filter(([name]) => name.startsWith('cdi.kubevirt.io/work.'));
  if (!isDeepStrictEqual(marks(before), marks(after))) throw forbidden('the marks are for nobody else to write');
}

/** clone-from-data-volume.yaml and clone-from-data-source.yaml */
function requireRight({ resource, after }: Write): void {
  const { namespace } = after?.metadata ?? {};
  const named: (string | undefined)[] = [];
  if (resource.kind === 'DataVolume') {
    const { source, sourceRef } = (after as DataVolume).spec;
    named.push(source?.pvc?.namespace, source?.snapshot?.namespace, sourceRef?.namespace);
  }
  if (resource.kind === 'DataSource') {
    const { pvc, snapshot, dataSource } = (after as DataSource).spec.source;
    named.push(pvc?.namespace, snapshot?.namespace, dataSource?.namespace);
  }
  if (named.some((each) => each !== undefined && each !== namespace)) throw forbidden('may not clone from there');
}

/** clone-by-annotation.yaml */
function requireOwnAnnotations({ resource, before, after }: Write): void {
  if (!['PersistentVolumeClaim', 'VolumeCloneSource'].includes(resource.kind)) return;
  const annotations = after?.metadata?.annotations ?? {};
  const { namespace } = after?.metadata ?? {};
  const looked = [populationAnnotation.cloneRequest, stateAnnotation.dataSourceNamespace, stateAnnotation.podPhase];
  const isNew =
    !before ||
    looked.some((name) => annotations[name] !== before.metadata?.annotations?.[name]) ||
    (resource.kind === 'VolumeCloneSource' && !isDeepStrictEqual(specOf(before), specOf(after)));
  const isComplete = resource.kind === 'PersistentVolumeClaim' && annotations[stateAnnotation.podPhase] === 'Succeeded';
  const request = annotations[populationAnnotation.cloneRequest];
  const source = annotations[stateAnnotation.dataSourceNamespace];
  const isForeign =
    (request?.includes('/') && request.split('/')[0] !== namespace) || (source !== undefined && source !== namespace);
  if (isNew && isForeign && !isComplete) throw forbidden('names another namespace');
}

function forbidden(message: string): Error {
  // As the API server words it.
  return refusal(403, 'Forbidden', `ValidatingAdmissionPolicy 'simulated' denied request: ${message}`);
}
