import { expect } from 'chai';
import { populationAnnotation, stateAnnotation } from '../../../src/api/annotations.ts';
import { formatAge } from '../../../src/base/format-age.ts';
import { cloneRows } from '../../../src/cli/clones/clone-rows.ts';
import { cloneTable } from '../../../src/cli/clones/clone-table.ts';
import { workForAnnotation } from '../../../src/controllers/objects/internal-annotations.ts';
import { pendingReport, reportAnnotations, runningReport } from '../../../src/controllers/transfers/transfer-report.ts';
import type { PersistentVolumeClaim } from '../../../src/kube/builtin-resources.ts';

const now = Date.parse('2026-01-01T00:10:00Z');

const claim = (name: string, options: Partial<PersistentVolumeClaim> = {}): PersistentVolumeClaim => ({
  spec: { dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: `source-of-${name}` } },
  status: { phase: 'Pending' },
  ...options,
  metadata: { name, namespace: 'team', creationTimestamp: '2026-01-01T00:09:00Z', ...options.metadata },
});

const bound = (name: string) => {
  const { spec, ...rest } = claim(name);
  return { ...rest, spec: { ...spec, volumeName: `pv-of-${name}` }, status: { phase: 'Bound' } };
};

const cloneSource = (name: string, source: object, from?: string) =>
  ({
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'VolumeCloneSource',
    metadata: {
      name: `source-of-${name}`,
      namespace: 'team',
      annotations: from === undefined ? {} : { [stateAnnotation.dataSourceNamespace]: from },
    },
    spec: { source },
  }) as never;

describe('diskpress clones', () => {
  it('tells source, strategy, phase, progress, rate and why it fell back', () => {
    const progress = {
      stage: 'copying',
      bytesRead: 2 ** 29,
      bytesTotal: 2 ** 30,
      bytesSkipped: 0,
      bytesWritten: 0,
      bytesPerSecond: 2 ** 27,
    };
    const report = runningReport(undefined, { ...progress, percent: 50 } as never, 0);
    const copying = claim('vm-1', {
      metadata: {
        annotations: {
          ...reportAnnotations(report),
          [stateAnnotation.clonePhase]: 'HostClone',
          [stateAnnotation.cloneType]: 'copy',
          [stateAnnotation.cloneFallbackReason]: 'IncompatibleVolumeModes',
        },
      },
    });
    const source = cloneSource('vm-1', { kind: 'PersistentVolumeClaim', name: 'fedora' }, 'golden');
    expect(cloneRows([copying], [source], now)).to.deep.equal([
      {
        namespace: 'team',
        name: 'vm-1',
        source: 'golden/fedora',
        strategy: 'copy',
        phase: 'HostClone',
        progress: '50.00%',
        rate: '128 MiB/s',
        age: '60s',
        detail: 'fell back: IncompatibleVolumeModes',
      },
    ]);
  });

  it('tells what a clone waits for', () => {
    const waiting = pendingReport(0, { reason: 'CloneSourceInUse', message: 'Pod "vm" may write to the source' });
    const [row] = cloneRows([claim('vm-1', { metadata: { annotations: reportAnnotations(waiting) } })], [], now);
    expect(row?.detail).to.equal('CloneSourceInUse: Pod "vm" may write to the source');
  });

  it('marks a snapshot', () => {
    const source = cloneSource('vm-1', { kind: 'VolumeSnapshot', name: 'before-update' });
    expect(cloneRows([claim('vm-1')], [source], now)[0]?.source).to.equal('team/before-update (snapshot)');
  });

  it('shows a direct copy, and leaves out what is complete, helps on the way, or is not a clone', () => {
    const annotations = { [populationAnnotation.cloneRequest]: 'golden/fedora' };
    const rows = cloneRows(
      [
        claim('direct', { spec: {}, metadata: { annotations } }),
        bound('complete'),
        claim('tmp-pvc-1', { spec: {}, metadata: { annotations: { ...annotations, [workForAnnotation]: 'uid' } } }),
        claim('plain', { spec: {} }),
      ],
      [],
      now,
    );
    expect(rows.map(({ name, source }) => [name, source])).to.deep.equal([['direct', 'golden/fedora']]);
  });

  it('puts the oldest first', () => {
    const older = claim('older', { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } });
    expect(cloneRows([claim('newer'), older], [], now).map(({ name }) => name)).to.deep.equal(['older', 'newer']);
  });

  it('aligns its columns, and fits a terminal', () => {
    const rows = cloneRows([claim('a'), claim('with-a-longer-name')], [], now);
    const lines = cloneTable(rows);
    const column = lines[0]?.indexOf('SOURCE');
    expect(lines.slice(1).map((line) => line.indexOf('(no VolumeCloneSource)'))).to.deep.equal([column, column]);
    for (const line of cloneTable(rows, 20)) expect(line.length).to.be.at.most(20);
    expect(cloneTable([])).to.deep.equal(['No clones are under way.']);
  });

  it('tells ages as kubectl does', () => {
    expect([119, 120, 7200, 172_800].map((seconds) => formatAge(seconds * 1000))).to.deep.equal([
      '119s',
      '2m',
      '2h',
      '2d',
    ]);
  });
});
