import { REQUIRED_POLICIES } from '../../../src/controllers/runtime/admission-policies.ts';
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../src/kube/builtin-resources.ts';

/** The policies of deploy/admission and their bindings, as far as the controllers look at them. */
export function installedPolicies(creationTimestamp: string): {
  policies: ValidatingAdmissionPolicy[];
  policyBindings: ValidatingAdmissionPolicyBinding[];
} {
  return {
    policies: REQUIRED_POLICIES.map((name) => ({
      metadata: { name, creationTimestamp },
      spec: {
        failurePolicy: 'Fail',
        matchConditions: [
          { name: 'by-the-controllers', expression: "request.userInfo.username == 'system:serviceaccount:cdi:cdi-sa'" },
        ],
      },
    })),
    policyBindings: REQUIRED_POLICIES.map((name) => ({
      metadata: { name, creationTimestamp },
      spec: { policyName: name, validationActions: ['Deny'] },
    })),
  };
}
