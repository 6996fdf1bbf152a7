import type { CDI, CDIConditionType, CDIPhase, CDIStatus } from '../../api/cdi.ts';
import type { ObservedCondition } from '../runtime/conditions.ts';
import type { DeploymentHealth } from './deployment-health.ts';

/** Everything that the status of the CDI object follows from. */
export interface Situation {
  readonly cdi: CDI;
  /** Version of the product that looks after it. */
  readonly version: string;
  readonly deployments: readonly DeploymentHealth[];
  /** What of CDI.spec cannot be done, for people. */
  readonly refusals: readonly string[];
  /** Why the object may not be deleted, for people; undefined where it may. */
  readonly uninstallBlocked: string | undefined;
  /** Name of the CDI object that is in force, where this is another. */
  readonly inForce: string | undefined;
}

type Condition = ObservedCondition & { readonly type: CDIConditionType };

/** Returns the status of the CDI object, but for the times of its conditions. */
export function observe(
  situation: Situation,
): Omit<CDIStatus, 'conditions'> & { readonly phase: CDIPhase; readonly conditions: readonly Condition[] } {
  const { cdi, version, deployments } = situation;
  const isComplete = deployments.every((each) => each.isComplete);
  const observedVersion = isComplete ? version : cdi.status?.observedVersion;
  return {
    phase: phaseOf(situation, isComplete),
    operatorVersion: version,
    targetVersion: version,
    ...(observedVersion !== undefined && { observedVersion }),
    conditions: conditionsOf(situation, isComplete),
  };
}

function phaseOf({ cdi, version, inForce }: Situation, isComplete: boolean): CDIPhase {
  const { observedVersion } = cdi.status ?? {};
  if (cdi.metadata.deletionTimestamp) return 'Deleting';
  if (inForce !== undefined) return 'Error';
  if (isComplete || observedVersion === version) return 'Deployed';
  return observedVersion === undefined ? 'Deploying' : 'Upgrading';
}

function conditionsOf(situation: Situation, isComplete: boolean): Condition[] {
  const { cdi, version, deployments, refusals, uninstallBlocked, inForce } = situation;
  const incomplete = deployments.filter((each) => !each.isComplete);
  const missing = deployments.filter((each) => !each.isAvailable);
  const troubles = deployments.flatMap(({ name, trouble }) => (trouble ? [`Deployment "${name}": ${trouble}`] : []));
  const isUpgrade = ![undefined, version].includes(cdi.status?.observedVersion);
  const reason = isComplete ? 'DeployCompleted' : isUpgrade ? 'UpgradeStarted' : 'DeployStarted';
  const isFirst = inForce === undefined;
  const complaints = isFirst
    ? [...troubles, ...refusals]
    : [`there is the CDI object "${inForce}" already, which is in force: delete one of them`];
  const degradedReason = troubles.length > 0 && isFirst ? 'DeploymentDegraded' : 'SpecRefused';
  return [
    condition('Available', missing.length === 0, reason, `not available: ${namesOf(missing)}`, missing.length > 0),
    condition(
      'Progressing',
      !isComplete,
      reason,
      `waiting for all replicas of ${namesOf(incomplete)} ${isUpgrade ? `to run version ${version}` : 'to be available'}`,
      !isComplete,
    ),
    complaints.length > 0
      ? condition('Degraded', true, degradedReason, complaints.join('; '), true)
      : condition('Degraded', false, reason),
    ...(uninstallBlocked === undefined
      ? []
      : [condition('UninstallBlocked', true, 'WorkloadsExist', uninstallBlocked, true)]),
  ];
}

function condition(type: CDIConditionType, is: boolean, reason: string, message = '', hasMessage = false): Condition {
  return { type, status: is ? 'True' : 'False', reason, message: hasMessage ? message : undefined };
}

function namesOf(deployments: readonly DeploymentHealth[]): string {
  return deployments.map(({ name }) => `Deployment "${name}"`).join(', ');
}
