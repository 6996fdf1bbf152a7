import type { KubeObject } from '../../../src/kube/resource.ts';

/** The installation of CDI v1.6x, as far as it outlives CDI. */

const labels = { 'cdi.kubevirt.io': 'cdi-api' };
export const ownedByCdi = [
  { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'CDI', name: 'cdi', uid: 'of-cdi', controller: true },
];

/** A Deployment of CDI with its name and image. */
export function deploymentOfCdi(name: string, image: string, replicas = 1): KubeObject {
  const selector = { name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'cdi', name, labels: { 'cdi.kubevirt.io': name, 'app.kubernetes.io/component': 'storage' } },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: { containers: [{ name, image: `quay.io/kubevirt/${image}:v1.62.0` }] },
      },
    },
  } as KubeObject;
}

/** One of CDI's webhook configurations. */
export function webhookOfCdi(kind: 'Validating' | 'Mutating', name: string, resource: string): KubeObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name, labels },
    webhooks: [
      {
        name: `${resource}-${kind.toLowerCase()}.cdi.kubevirt.io`,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        // What it asks about has nothing to do with the tests that run beside.
        rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], resources: [resource], operations: ['CREATE'] }],
        clientConfig: { service: { namespace: 'cdi', name: 'cdi-api', path: `/${resource}-validate`, port: 443 } },
      },
    ],
  } as KubeObject;
}

/** The CronJob by which CDI looks for new images of a DataImportCron. */
export function cronJobOfCdi(cron: string): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      namespace: 'cdi',
      name: `${cron}-8fb2f9d2`,
      labels: { 'cdi.kubevirt.io/dataImportCron': `team.${cron}` },
    },
    spec: {
      schedule: '0 3 * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: 'Never',
              serviceAccountName: 'cdi-cronjob',
              containers: [{ name: 'cdi-source-update-poller', image: 'quay.io/kubevirt/cdi-importer:v1.62.0' }],
            },
          },
        },
      },
    },
  } as KubeObject;
}
