import { expect } from 'chai';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { TransferMetrics } from '../../../../src/controllers/transfers/transfer-metrics.ts';
import type { Pod } from '../../../../src/kube/builtin-resources.ts';

const podOf = (uid: string, seconds = 30): Pod => ({
  metadata: { uid },
  status: {
    containerStatuses: [
      {
        name: 'importer',
        state: {
          terminated: {
            exitCode: 0,
            startedAt: '2026-01-01T00:00:00Z',
            finishedAt: new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString(),
          },
        },
      } as never,
    ],
  },
});

describe('the metrics of transfers', () => {
  let registry: Registry;
  let metrics: TransferMetrics;

  beforeEach(() => {
    registry = new Registry();
    metrics = TransferMetrics.of(registry);
  });

  it('tell what has been moved, how long that took, and what failed on the way', async () => {
    metrics.failed({ kind: 'import', source: 'http', pod: podOf('1') }, { reason: 'NotFound', permanent: false });
    metrics.succeeded({ kind: 'import', source: 'http', pod: podOf('2') }, 700, 1000);
    metrics.failed({ kind: 'upload', pod: podOf('3') }, { reason: 'InvalidImage', permanent: true });
    const text = await registry.metrics();
    for (const line of [
      'diskpress_transfer_retries_total{kind="import",source="http",reason="NotFound"} 1',
      'diskpress_transfers_total{kind="import",source="http",result="succeeded"} 1',
      'diskpress_transfer_written_bytes_total{kind="import",source="http"} 700',
      'diskpress_transfer_duration_seconds_sum{kind="import",source="http"} 30',
      'diskpress_transfers_total{kind="upload",source="",result="failed"} 1',
    ])
      expect(text).to.contain(line);
  });

  it('are the same for all kinds of transfers of a process', () => {
    expect(TransferMetrics.of(registry)).to.equal(metrics);
    expect(TransferMetrics.of(new Registry())).not.to.equal(metrics);
  });

  it('count each pod once, however often somebody looks at it', async () => {
    const transfer = { kind: 'import', source: 'http', pod: podOf('1') };
    for (let look = 0; look < 3; look++) metrics.failed(transfer, { reason: 'NotFound', permanent: false });
    expect(await registry.metrics()).to.contain('reason="NotFound"} 1');
  });

  it('have few series, and no more bytes than the volumes, whatever pods and claims say', async () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.string(), fc.double({ noNaN: true }), (uid, source, reason, bytes) => {
        metrics.failed({ kind: 'import', source, pod: podOf(`failed ${uid}`) }, { reason, permanent: false });
        metrics.succeeded({ kind: 'import', source, pod: podOf(uid) }, bytes, 1000);
      }),
      { numRuns: 200 },
    );
    const text = await registry.metrics();
    expect(text.split('\n').filter((line) => line.startsWith('diskpress_transfer_retries_total'))).to.have.lengthOf(1);
    const bytes = /^diskpress_transfer_written_bytes_total\{.*\} (\S+)$/m.exec(text)?.[1];
    expect(Number(bytes)).to.be.within(0, 200 * 1000);
  });
});
