import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../kube/builtin-resources.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { Caches } from './caches.ts';

/**
 * Names of the policies of deploy/admission, each with a binding of the same name. Only admission knows the right of a
 * requesting user: while one of them is missing, nobody's right is checked.
 */
export const REQUIRED_POLICIES = [
  'clone-by-annotation.cdi.kubevirt.io',
  'clone-from-data-import-cron.cdi.kubevirt.io',
  'clone-from-data-source.cdi.kubevirt.io',
  'clone-from-data-volume.cdi.kubevirt.io',
  'controller-installation.cdi.kubevirt.io',
  'controller-limits.cdi.kubevirt.io',
  'controller-marks.cdi.kubevirt.io',
  'system-priority-classes.cdi.kubevirt.io',
] as const;
export type RequiredPolicy = (typeof REQUIRED_POLICIES)[number];

/** Policies that distinguish the controllers from others by the name of their ServiceAccount. */
const REPORTING_CONTROLLERS: ReadonlySet<string> = new Set<RequiredPolicy>([
  'clone-by-annotation.cdi.kubevirt.io',
  'controller-installation.cdi.kubevirt.io',
  'controller-limits.cdi.kubevirt.io',
  'controller-marks.cdi.kubevirt.io',
  'system-priority-classes.cdi.kubevirt.io',
]);

/** Delay until API servers enforce a new policy. */
const UNTIL_ENFORCED_MILLISECONDS = 10_000;

/** Reports whether the admission policies are in force, and since when; every call reads the caches. */
export class AdmissionPolicies {
  readonly #caches: Pick<Caches, 'policies' | 'policyBindings'>;
  readonly #namespace: string;
  readonly #now: () => number;

  /**
   * @param namespace namespace of the installation
   * @param now returns milliseconds since the epoch
   */
  constructor(caches: Pick<Caches, 'policies' | 'policyBindings'>, namespace: string, now: () => number) {
    this.#caches = caches;
    this.#namespace = namespace;
    this.#now = now;
  }

  /** Description for people of what is wrong with any of the policies; undefined when all are in force. */
  get problem(): string | undefined {
    for (const name of REQUIRED_POLICIES) {
      const problem = this.#problemOf(name);
      if (problem) return problem;
      if (this.#enforcedSince(name) > this.#now()) return `policy "${name}" was made a moment ago`;
    }
    return undefined;
  }

  /**
   * Reports whether the policy admitted an object, judging by the object's creation time; false also while the policy
   * is missing.
   */
  hasAdmitted(name: RequiredPolicy, { metadata }: KubeObject): boolean {
    const created = Date.parse(metadata?.creationTimestamp ?? '');
    return this.#problemOf(name) === undefined && created >= this.#enforcedSince(name);
  }

  #problemOf(name: RequiredPolicy): string | undefined {
    const key = { namespace: '', name };
    const policy = this.#caches.policies.get(key);
    const binding = this.#caches.policyBindings.get(key);
    if (!policy) return `ValidatingAdmissionPolicy "${name}" is missing`;
    if (!binding) return `ValidatingAdmissionPolicyBinding "${name}" is missing`;
    if (policy.spec?.failurePolicy === 'Ignore') return `policy "${name}" has failurePolicy Ignore instead of Fail`;
    if (REPORTING_CONTROLLERS.has(name) && !isOfController(policy, this.#namespace))
      return `policy "${name}" is not for controllers in namespace "${this.#namespace}"`;
    if (!isWhole(policy, binding)) return `binding "${name}" does not deny everywhere what its policy refuses`;
    return undefined;
  }

  #enforcedSince(name: RequiredPolicy): number {
    const key = { namespace: '', name };
    const made = [this.#caches.policies.get(key), this.#caches.policyBindings.get(key)].map((object) =>
      Date.parse(object?.metadata?.creationTimestamp ?? ''),
    );
    return Math.max(...made) + UNTIL_ENFORCED_MILLISECONDS;
  }
}

function isOfController({ spec }: ValidatingAdmissionPolicy, namespace: string): boolean {
  const name = `'system:serviceaccount:${namespace}:cdi-sa'`;
  return spec?.matchConditions?.some(({ expression }) => expression.includes(name)) ?? false;
}

function isWhole(policy: ValidatingAdmissionPolicy, { spec }: ValidatingAdmissionPolicyBinding): boolean {
  return (
    spec?.policyName === policy.metadata?.name &&
    spec?.matchResources === undefined &&
    (spec?.validationActions?.includes('Deny') ?? false)
  );
}
