import { type CloneGrant, cloneGrants } from '../../../api/clone-grant.ts';
import type { DataSource } from '../../../api/data-source.ts';
import type { DataVolume } from '../../../api/data-volume.ts';
import { CDI_API_VERSION } from '../../../api/group.ts';
import { objectLabels } from '../../../api/labels.ts';
import { namespaces, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { leadsElsewhere } from '../../references/data-source-of.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { requirePolicies } from '../../runtime/require-policies.ts';
import { type ClonedObject, findCloned } from '../source/cloned-object.ts';
import { without } from '../source/source.ts';

/** The time after the creation of a DataVolume for which the check of its user's right remains valid. */
const LONGEST_WAIT_MILLISECONDS = 24 * 60 * 60_000;

/** The object that a DataVolume may be cloned from. */
export interface GrantedObject extends ClonedObject {
  readonly uid: string;
}

type IssuingContext = Pick<ControllerContext, 'caches' | 'policies' | 'now'>;

/**
 * Decides, once for a DataVolume that clones from another namespace, which object it may be cloned from: the one that
 * has the name now. The API server checked the user's right when the DataVolume was created, by the admission policies
 * that are required here.
 *
 * @param through the DataSources that led to the source
 * @throws WaitingError PolicyMissing while a policy is not in force; CloneWithoutSource while the object does not exist
 * @throws TerminalError PolicyMissing where the DataVolume, or a DataSource, was created while no policy checked
 *   rights; CloneRightExpired where that is more than a day ago
 */
export function decideGrant(
  { caches, policies, now }: IssuingContext,
  dataVolume: DataVolume,
  cloned: ClonedObject,
  through: readonly DataSource[],
): GrantedObject {
  requirePolicies({ policies });
  if (!policies.hasAdmitted('clone-from-data-volume.cdi.kubevirt.io', dataVolume))
    throw unchecked('DataVolume', dataVolume);
  const unknown = through.find(
    (dataSource) =>
      leadsElsewhere(dataSource) && !policies.hasAdmitted('clone-from-data-source.cdi.kubevirt.io', dataSource),
  );
  if (unknown) throw unchecked('DataSource', unknown);
  if (now() - Date.parse(dataVolume.metadata.creationTimestamp ?? '') > LONGEST_WAIT_MILLISECONDS) {
    throw new TerminalError(
      'CloneRightExpired',
      `The right to clone from namespace "${cloned.key.namespace}" was checked when this DataVolume was created, and holds for a day; make it anew`,
    );
  }
  const found = findCloned(caches, cloned);
  if (!found) {
    const what = cloned.kind === 'VolumeSnapshot' ? 'snapshot' : 'claim';
    throw without(what, cloned.key, 'absent', ", within a day of the DataVolume's creation");
  }
  return { ...cloned, uid: found.metadata?.uid ?? '' };
}

/**
 * Requires that each reference from the DataVolume to its source leads into the same namespace for which the right was
 * checked when the reference was created, and not into one that was created later under the same name.
 *
 * @throws TerminalError CloneRightExpired
 */
export async function requireSameNamespaces(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  dataVolume: DataVolume,
  cloned: ClonedObject,
  through: readonly DataSource[],
): Promise<void> {
  const steps: readonly (KubeObject | undefined)[] = [dataVolume, ...through, findCloned(caches, cloned)];
  for (const [index, to] of steps.entries()) {
    const by = steps[index - 1];
    const name = to?.metadata?.namespace;
    if (!by || !name || name === by.metadata?.namespace || !isNewer(to, by)) continue;
    if (!isNewer(await client.get(namespaces, { namespace: '', name }), by)) continue;
    throw new TerminalError(
      'CloneRightExpired',
      `Namespace "${name}" was made anew after the right to clone from it was checked; make ${by.kind} ${keyToString(keyOf(by))} anew`,
    );
  }
}

function isNewer(object: KubeObject | undefined, other: KubeObject): boolean {
  return Date.parse(object?.metadata?.creationTimestamp ?? '') > Date.parse(other.metadata?.creationTimestamp ?? '');
}

/** Records the decision. A DataVolume keeps its grant, whatever claim it gets afterwards. */
export async function issueGrant(
  { client }: Pick<ControllerContext, 'client'>,
  dataVolume: DataVolume,
  claim: PersistentVolumeClaim,
  { kind, key, uid }: GrantedObject,
): Promise<void> {
  const grant: CloneGrant = {
    apiVersion: CDI_API_VERSION,
    kind: 'CloneGrant',
    metadata: { name: dataVolume.metadata.uid, labels: { ...objectLabels } },
    spec: {
      dataVolume: { ...keyOf(dataVolume), uid: dataVolume.metadata.uid ?? '' },
      claimUid: claim.metadata?.uid ?? '',
      source: { kind, ...key, uid },
    },
  };
  await createIfAbsent(client, cloneGrants, grant);
}

function unchecked(kind: string, object: DataVolume | DataSource): TerminalError {
  return new TerminalError(
    'PolicyMissing',
    `${kind} ${keyToString(keyOf(object))} was made while the admission policies of Diskpress were not in force, so that nobody checked ` +
      "its author's right to clone from another namespace; make it anew",
  );
}
