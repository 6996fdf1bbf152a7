import { configMaps, secrets } from '../../../../src/kube/builtin-resources.ts';
import type { KubeObject, Resource } from '../../../../src/kube/resource.ts';
import { bundleName, signers } from '../../../../src/protocol/installation.ts';
import { type CertifiedKey, createAuthority } from '../../../../src/server/certificates.ts';
import { SilentCache } from './lagging-caches.ts';

const encoded = (text: string) => Buffer.from(text).toString('base64');

/** An authority that no time of a simulated world is beyond. */
const authority: CertifiedKey = await createAuthority('authority', { lifetime: 10 * 365 * 24 * 3_600_000 });

/** The cache of a Secret or ConfigMap of the installation, which has its certificates. */
export function certificatesOf(resource: Resource<KubeObject>, fieldSelector = ''): SilentCache {
  const cache = new SilentCache();
  const name = fieldSelector.replace('metadata.name=', '');
  const metadata = { namespace: 'cdi', name, uid: name };
  if (resource.kind === secrets.kind && name === signers.uploadserver) {
    const data = { 'tls.crt': encoded(authority.certificate), 'tls.key': encoded(authority.key) };
    cache.set({ metadata, data } as KubeObject);
  }
  if (resource.kind === configMaps.kind && name === bundleName('uploadserver-client')) {
    cache.set({ metadata, data: { 'ca-bundle.crt': authority.certificate } } as KubeObject);
  }
  return cache;
}
