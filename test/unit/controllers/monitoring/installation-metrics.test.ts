import { expect } from 'chai';
import { Registry } from 'prom-client';
import { registerInstallationMetrics } from '../../../../src/controllers/monitoring/installation-metrics.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { createAuthority } from '../../../../src/server/certificates.ts';

const registered = (objects: { cdis?: object[]; pods?: object[]; secrets?: object[] }) => {
  const registry = new Registry();
  const cache = (list: object[] = []) => ({ list: () => list }) as never;
  registerInstallationMetrics(registry, { cdis: cache(objects.cdis), pods: cache(objects.pods) }, [
    cache(objects.secrets),
  ]);
  return registry;
};
const availability = (status: string) => ({ status: { conditions: [{ type: 'Available', status }] } });

describe('the metrics of an installation', () => {
  it('say whether it works', async () => {
    for (const [cdis, value] of [
      [[availability('True')], 1],
      [[availability('False')], 0],
      [[availability('Unknown')], -1],
      [[{}], -1],
      [[], -1],
    ] as const)
      expect(await registered({ cdis: [...cdis] }).metrics()).to.match(
        new RegExp(`^kubevirt_cdi_cr_ready ${value}$`, 'm'),
      );
  });

  it('say until when its certificates are valid, of those that can be read', async () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const { certificate } = await createAuthority('authority', { now, lifetime: 3_600_000 });
    const secret = (name: string, text: string) => ({
      metadata: { name },
      data: { 'tls.crt': Buffer.from(text).toString('base64') },
    });
    const text = await registered({ secrets: [secret('whole', certificate), secret('damaged', 'damaged')] }).metrics();
    const expiry = now / 1000 + 3600;
    expect(text).to.contain(`diskpress_certificate_expiry_timestamp_seconds{secret="whole"} ${expiry}`);
    expect(text).not.to.contain('damaged');
  });

  it('count the transfer pods that run, and none that looks like one', async () => {
    const pod = (role: string, phase: string, annotations: object) => ({
      metadata: { labels: { 'cdi.kubevirt.io': role }, annotations },
      status: { phase },
    });
    const marks = { [workForAnnotation]: 'claim' };
    const text = await registered({
      pods: [
        ...[pod('importer', 'Running', marks), pod('importer', 'Running', {}), pod('importer', 'Pending', marks)],
        ...[pod('anything', 'Running', marks)],
      ],
    }).metrics();
    expect(text.split('\n').filter((line) => line.startsWith('diskpress_transfer_pods'))).to.have.members([
      'diskpress_transfer_pods{role="importer"} 1',
      'diskpress_transfer_pods{role="cdi-clone-source"} 0',
      'diskpress_transfer_pods{role="cdi-upload-server"} 0',
    ]);
  });
});
