import type { DataVolume } from '../../src/api/data-volume.ts';
import { namespaces } from '../../src/kube/builtin-resources.ts';
import { keyOf } from '../../src/kube/key.ts';
import { status } from '../cluster/index.ts';
import { conditionOf } from '../support/data-volumes.ts';
import { type Environment, prepareEnvironment, productNamespace } from '../support/environment.ts';
import { createNamespace, removeNamespace } from '../support/namespaces.ts';
import { PhaseJournal } from '../support/phase-journal.ts';
import { prepareSources } from '../support/sources.ts';
import { tellPodTroubles } from '../support/tell-pod-troubles.ts';
import { show, type Shown } from './show.ts';
import { table } from './table.ts';
import { demoNamespaces, demoVolumes } from './volumes.ts';

const started = performance.now();
const log = (line: string) =>
  console.log(`[${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);

async function demonstrate(): Promise<boolean> {
  log('Diskpress imports, uploads and clones disks of virtual machines on Kubernetes. First, a cluster is set up:');
  const environment = await prepareEnvironment(log);
  const sources = await prepareSources(environment, log);
  await renewNamespaces(environment);
  const shown: Shown[] = [];
  const journal = new PhaseJournal(narrator());
  await journal.start(environment.client);
  for (const [index, volume] of demoVolumes.entries()) {
    const storageClassName = environment.classes[volume.role];
    const title = `[${index + 1}/${demoVolumes.length}] ${volume.namespace}/${volume.name}, from ${volume.source}`;
    if (storageClassName === undefined) {
      log(`${title}: left out, since this cluster has no StorageClass for "${volume.role}"`);
      continue;
    }
    log(`${title}, on class ${storageClassName}`);
    const line = await show(environment, sources, journal, volume, storageClassName, log).catch(
      async (error: unknown) => {
        await tellTroubles(environment, volume.namespace);
        throw error;
      },
    );
    log(`    ${line.verdict}; ${line.seconds.toFixed(1)} s`);
    if (!line.asExpected) await tellTroubles(environment, volume.namespace);
    shown.push(line);
  }
  await journal.stop();
  console.log(`\n${table(shown).join('\n')}\n`);
  await tellHowToLookFurther(environment);
  const wrong = shown.filter(({ asExpected }) => !asExpected);
  console.log(
    wrong.length === 0
      ? `\nAll ${shown.length} DataVolumes became what they should.`
      : `\nNot as it should be: ${wrong.map(({ volume }) => `${volume.namespace}/${volume.name}`).join(', ')}`,
  );
  return wrong.length === 0;
}

/** Says what is wrong with pods that work for a DataVolume in that namespace, and with the controllers'. */
async function tellTroubles({ kubectl }: Environment, namespace: string): Promise<void> {
  for (const each of [namespace, productNamespace]) await tellPodTroubles(kubectl, each, log);
}

/** Says what the demo's DataVolumes are doing whenever that changes. */
function narrator(): (dataVolume: DataVolume) => void {
  const said = new Map<string, string>();
  return (dataVolume) => {
    const { namespace, name } = keyOf(dataVolume);
    const phase = dataVolume.status?.phase;
    if (!phase || !Object.values<string>(demoNamespaces).includes(namespace)) return;
    const message = conditionOf(dataVolume, 'Running')?.message;
    const line = `${name}: ${phase}${message ? ` – ${message}` : ''}`;
    if (said.get(namespace) === line) return;
    said.set(namespace, line);
    log(`    ${line}`);
  };
}

/** What an earlier demo left is removed. */
async function renewNamespaces({ client }: Environment): Promise<void> {
  await Promise.all(
    Object.values(demoNamespaces).map(async (name) => {
      if (await client.get(namespaces, { namespace: '', name })) {
        log(`removing namespace ${name} of an earlier demo`);
        await removeNamespace(client, name);
      }
      await createNamespace(client, { exact: name });
    }),
  );
}

async function tellHowToLookFurther({ kubeConfigPath }: Environment): Promise<void> {
  const { addresses } = await status();
  const { golden, team } = demoNamespaces;
  const lines = [
    `export KUBECONFIG=${kubeConfigPath}`,
    `kubectl get dv,pvc -n ${golden}`,
    `kubectl describe dv -n ${golden} example-import-dv`,
    `kubectl describe dv -n ${golden} import-missing`,
    `kubectl get pvc -n ${team} clone-snapshot -o yaml`,
    'kubectl logs -n cdi deployment/cdi-deployment',
    'kubectl get storageprofiles',
    ...(addresses?.kubeconfig === kubeConfigPath
      ? ['npm run cluster -- status', 'npm run cluster -- down     # when you are done']
      : []),
  ];
  console.log('The cluster stays up. To look further:');
  for (const line of lines) console.log(`  ${line}`);
}

try {
  process.exit((await demonstrate()) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
