import { expect } from 'chai';
import { addControllers } from '../../../src/controllers/manager.ts';
import type { Manager } from '../../../src/kube/manager.ts';
import { serveProgress } from '../../../src/pods/progress-server.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { collectProcessMetrics } from '../../../src/server/process-metrics.ts';
import { run } from '../../cluster/commands.ts';
import { prometheusProgram } from '../../cluster/prometheus.ts';
import { SilentCache } from '../../unit/controllers/world/lagging-caches.ts';
import { dashboardText, rules } from './rules.ts';

/** Metrics of kube-state-metrics and of Prometheus itself. */
const ofOthers = ['kube_pod_container_status_restarts_total', 'up'];
/** Names that CDI has chosen, which its users go by. */
const ofIncumbent = ['kubevirt_cdi_import_progress_total', 'kubevirt_cdi_clone_progress_total'];

describe('the names of metrics', function () {
  this.timeout(30_000);
  let controllers: string;
  let pod: string;

  before(async () => {
    const metrics = new Metrics();
    collectProcessMetrics(metrics.registry);
    const manager = {
      informer: () => new SilentCache(),
      addController: () => undefined,
      addReadyCheck: () => undefined,
      metrics,
    } as unknown as Manager;
    addControllers(manager, { image: 'diskpress', namespace: 'cdi', version: 'test' });
    controllers = await metrics.registry.metrics();
    const snapshot = { stage: 'copying', bytesRead: 1, bytesSkipped: 0, bytesTotal: 2, bytesWritten: 1 };
    const progress = { ...snapshot, bytesPerSecond: 1, secondsLeft: 1, percent: 50, retries: 0, connections: 1 };
    const transfer = { snapshot: () => progress, phase: () => 'Convert' as const };
    const server = await serveProgress(transfer, 0, 'kubevirt_cdi_import_progress_total');
    pod = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    await server.close();
  });

  it('are such that promtool finds nothing wrong with them', async () => {
    // The label is CDI's.
    for (const page of [controllers, pod.replaceAll('ownerUID', 'owner_uid')])
      expect(await run(prometheusProgram('promtool'), ['check', 'metrics'], { input: page })).to.equal('');
  });

  it('are those that rules and dashboard go by', () => {
    const declared = [...`${controllers}\n${pod}`.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    const known = new Set([...declared, ...ofOthers, ...ofIncumbent]);
    const recorded = rules.map(({ record }) => record);
    const texts = [...rules.map(({ expr }) => expr), dashboardText];
    const named = texts.flatMap((text) =>
      [
        ...text.matchAll(/\b(?:kubevirt|diskpress|workqueue|controller|rest_client|informer|leader|process|kube)_\w+/g),
      ].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')),
    );
    const unknown = named.filter((name) => !known.has(name) && !recorded.some((record) => record?.includes(name)));
    expect([...new Set(unknown)]).to.deep.equal([]);
  });
});
