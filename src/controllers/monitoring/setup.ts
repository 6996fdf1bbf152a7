import { subjectAccessReviews, tokenReviews } from '../../kube/builtin-resources.ts';
import type { ControllerSetup } from '../runtime/setup.ts';

/** Lets the state of the installation be seen: who may read its metrics is asked of the API server. */
export const monitoring: ControllerSetup = {
  rights: [
    { resource: tokenReviews, verbs: ['create'] },
    { resource: subjectAccessReviews, verbs: ['create'] },
  ],
  setup() {},
};
