import { X509Certificate } from 'node:crypto';
import { Gauge, type Registry } from 'prom-client';
import { POD_ROLE_LABEL, transferPodLabels } from '../../api/labels.ts';
import type { Secret } from '../../kube/builtin-resources.ts';
import { secretText } from '../../kube/secret-text.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import type { Caches } from '../runtime/caches.ts';

/** The values of kubevirt_cdi_cr_ready. */
const READY = { True: 1, False: 0, Unknown: -1 } as const;

/**
 * Registers what is read of the caches at each scrape: whether the installation works, until when its certificates are
 * valid, and how many transfer pods run.
 *
 * @param certificates caches of the Secrets with certificates
 */
export function registerInstallationMetrics(
  registry: Registry,
  { cdis, pods }: Pick<Caches, 'cdis' | 'pods'>,
  certificates: readonly { list(): readonly Secret[] }[],
): void {
  const registers = [registry];
  new Gauge({
    name: 'kubevirt_cdi_cr_ready',
    help: 'Whether the installation works, by the condition Available of its CDI object: 1, 0, or -1 while it is unknown',
    registers,
    collect() {
      const conditions = cdis.list()[0]?.status?.conditions ?? [];
      this.set(READY[conditions.find(({ type }) => type === 'Available')?.status ?? 'Unknown']);
    },
  });
  new Gauge({
    name: 'diskpress_certificate_expiry_timestamp_seconds',
    help: 'Until when the certificate in a Secret of the installation is valid',
    labelNames: ['secret'],
    registers,
    collect() {
      this.reset();
      for (const secret of certificates.flatMap((informer) => informer.list())) {
        const expiry = expiryOf(secret);
        if (expiry !== undefined) this.set({ secret: secret.metadata?.name ?? '' }, expiry);
      }
    },
  });
  new Gauge({
    name: 'diskpress_transfer_pods',
    help: 'Transfer pods that run, by their role',
    labelNames: ['role'],
    registers,
    collect() {
      for (const role of transferPodLabels) this.set({ role }, 0);
      for (const { metadata, status } of pods.list()) {
        // Anybody may choose a label; the mark only the controllers write.
        const role = transferPodLabels.find((each) => each === metadata?.labels?.[POD_ROLE_LABEL]);
        if (role && status?.phase === 'Running' && metadata?.annotations?.[workForAnnotation]) this.inc({ role });
      }
    },
  });
}

/** Returns seconds since the epoch; undefined where the Secret has no certificate that can be read. */
function expiryOf(secret: Secret): number | undefined {
  try {
    const seconds = Date.parse(new X509Certificate(secretText(secret, 'tls.crt') ?? '').validTo) / 1000;
    return Number.isFinite(seconds) ? seconds : undefined;
  } catch {
    return undefined;
  }
}
