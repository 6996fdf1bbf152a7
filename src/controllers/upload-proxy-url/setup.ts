import { cdiConfigs } from '../../api/cdi-config.ts';
import { configMaps } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { bundleName } from '../../protocol/installation.ts';
import { cachedConfigMap } from '../runtime/installation-objects.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { CDI_CONFIG, UploadProxyUrlReconciler } from './reconciler.ts';
import { httpRoutes, ingresses, openShiftRoutes, tlsRoutes } from './resources.ts';

/** Delays in milliseconds before a resource that the cluster does not have is looked for again. */
const backoff = { base: 1_000, max: 30_000, jitter: 0.5 };

/** Tells clients where the upload proxy is. */
export const uploadProxyUrl: ControllerSetup = {
  rights: [
    ...[ingresses, httpRoutes, tlsRoutes, openShiftRoutes].map((resource) => ({
      resource,
      verbs: ['list', 'watch'] as const,
      within: 'installation' as const,
    })),
    { resource: configMaps, verbs: ['list', 'watch'], within: 'installation', names: [bundleName('uploadproxy')] },
    { resource: cdiConfigs, subresource: 'status', verbs: ['patch'] },
  ],
  setup(host, context) {
    const { namespace } = context.config;
    const optional = { namespace, mayBeAbsent: true, backoff };
    const caches = {
      ingresses: host.informer(ingresses, { namespace }),
      httpRoutes: host.informer(httpRoutes, optional),
      tlsRoutes: host.informer(tlsRoutes, optional),
      openShiftRoutes: host.informer(openShiftRoutes, optional),
    };
    const authorities = cachedConfigMap(host, namespace, bundleName('uploadproxy'));
    const candidates = () => ({
      ingresses: caches.ingresses.list(),
      httpRoutes: caches.httpRoutes.list(),
      tlsRoutes: caches.tlsRoutes.list(),
      openShiftRoutes: caches.openShiftRoutes.list(),
    });
    const wake = () => [CDI_CONFIG];
    host.addController(new UploadProxyUrlReconciler(context, candidates, authorities), {
      watches: [
        enqueueFrom(context.caches.cdiConfigs, wake),
        enqueueFrom(authorities, wake),
        enqueueFrom(caches.ingresses, wake),
        enqueueFrom(caches.httpRoutes, wake),
        enqueueFrom(caches.tlsRoutes, wake),
        enqueueFrom(caches.openShiftRoutes, wake),
      ],
      workers: 1,
    });
  },
};
