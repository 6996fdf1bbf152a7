import { subjectAccessReviews, tokenReviews } from '../../kube/builtin-resources.ts';
import { roleCertificates, signers, uploadClientCertificate } from '../../protocol/installation.ts';
import { cachedSecret } from '../runtime/installation-objects.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { registerInstallationMetrics } from './installation-metrics.ts';

/** The Secrets that have a certificate under `tls.crt`. */
const certified = [
  ...Object.values(signers),
  ...Object.values(roleCertificates).map(({ secret }) => secret),
  uploadClientCertificate.secret,
];

/** Lets the state of the installation be seen; who may read its metrics is asked of the API server. */
export const monitoring: ControllerSetup = {
  rights: [
    { resource: tokenReviews, verbs: ['create'] },
    { resource: subjectAccessReviews, verbs: ['create'] },
  ],
  setup(host, { caches, config }) {
    const certificates = certified.map((name) => cachedSecret(host, config.namespace, name));
    registerInstallationMetrics(host.metrics.registry, caches, certificates);
  },
};
