import { expect } from 'chai';
import type { DataImportCron } from '../../../src/api/data-import-cron.ts';
import type { DataSource } from '../../../src/api/data-source.ts';
import { imageRows } from '../../../src/cli/images/image-rows.ts';
import { imageTable } from '../../../src/cli/images/image-table.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const ANNOTATION = 'cdi.kubevirt.io/storage.import';
type Status = DataImportCron['status'];

const cron = (
  name: string,
  source: object,
  status: Status,
  annotations: Record<string, string> = {},
): DataImportCron => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataImportCron',
  metadata: { namespace: 'golden', name, annotations },
  spec: { template: { spec: { source } }, schedule: '@daily', managedDataSource: `${name}-latest`, importsToKeep: 3 },
  status,
});
const condition = (status: 'True' | 'False', reason: string, message: string) =>
  [{ type: 'UpToDate', status, reason, message }] as const;
const ready: DataSource = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataSource',
  metadata: { namespace: 'golden', name: 'fedora-latest' },
  spec: { source: {} },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

describe('diskpress images', () => {
  it('tells image, digest, age, the next look, the form, readiness, and what is wrong', () => {
    const fedora = cron(
      'fedora',
      { registry: { url: 'docker://quay.io/fedora:latest' } },
      {
        lastImportTimestamp: '2025-12-30T12:00:00Z',
        sourceFormat: 'snapshot',
        conditions: [...condition('True', 'UpToDate', 'it is')],
      },
      {
        [`${ANNOTATION}.sourceDesiredDigest`]: `sha256:${'ab'.repeat(32)}`,
        [`${ANNOTATION}.nextCronTime`]: '2026-01-01T15:00:00Z',
      },
    );
    const broken = cron(
      'broken',
      { http: { url: 'https://user:secret@server/disk.img' } },
      { conditions: [...condition('False', 'PollFailed', 'no answer')] },
    );
    expect(imageTable(imageRows([fedora, broken], [ready], NOW))).to.deep.equal([
      'NAMESPACE  NAME    IMAGE                           DIGEST        AGE  NEXT  FORMAT    READY  WHY',
      'golden     broken  https://server/disk.img         -             -    -     -         -      PollFailed: no answer',
      'golden     fedora  docker://quay.io/fedora:latest  abababababab  2d   3h    snapshot  True   -',
    ]);
  });

  it('says where there are none', () => {
    expect(imageTable([])).to.deep.equal(['There are no DataImportCrons.']);
  });
});
