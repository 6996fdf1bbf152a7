import { isIP } from 'node:net';
import type { CDIConfig } from '../../api/cdi-config.ts';
import { roleCertificates, type Signer, uploadClientCertificate } from '../../protocol/installation.ts';
import type { Subject } from '../../server/certificates.ts';

/** A certificate that the controllers keep in a Secret. */
export interface Issued {
  readonly secret: string;
  readonly signer: Signer;
  readonly usage: Subject['usage'];
  readonly commonName: string;
  /** The Service whose names it has, of a server. */
  readonly service?: string;
}

/** Every certificate of the installation. */
export const issuedCertificates: readonly Issued[] = [
  ...Object.values(roleCertificates).map((role) => ({ ...role, usage: 'server' as const, commonName: role.service })),
  { ...uploadClientCertificate, usage: 'client' },
];

export function issuedBy(signer: Signer): readonly Issued[] {
  return issuedCertificates.filter((issued) => issued.signer === signer);
}

/** Returns what a certificate says: its Service's names, and of the upload proxy those by which users reach it. */
export function subjectOf(
  { usage, commonName, service }: Issued,
  namespace: string,
  cdiConfig: CDIConfig | undefined,
): Subject {
  if (!service) return { usage, commonName };
  const local = `${service}.${namespace}.svc`;
  const outside = service === roleCertificates.uploadproxy.service ? outsideNames(cdiConfig) : [];
  const names = [local, `${local}.cluster.local`, `${service}.${namespace}`, service, ...outside];
  return { usage, commonName, names: [...new Set(names)] };
}

function outsideNames(cdiConfig: CDIConfig | undefined): string[] {
  const urls = [cdiConfig?.spec.uploadProxyURLOverride, cdiConfig?.status?.uploadProxyURL];
  return urls.map(hostOf).filter((host) => host !== undefined);
}

/** Returns the host of a URL, which may lack its scheme; undefined where it is no name. */
function hostOf(url: string | undefined): string | undefined {
  if (!url) return undefined;
  const parsed = URL.parse(url.includes('://') ? url : `https://${url}`);
  const host = parsed?.hostname ?? '';
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host) && isIP(host) === 0 ? host : undefined;
}
