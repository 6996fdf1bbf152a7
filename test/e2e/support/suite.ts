import type { ObjectKey } from '../../../src/kube/key.ts';
import { type Environment, prepareEnvironment } from '../../support/environment.ts';
import { createNamespace } from '../../support/namespaces.ts';
import { prepareSources, type Sources } from '../../support/sources.ts';
import { beginRemoval } from './removals.ts';

/** What every end-to-end suite has. */
export interface Suite extends Environment, Sources {
  /** A namespace of the suite's own. */
  readonly namespace: string;
  /** Makes another namespace, which goes with the suite. */
  readonly newNamespace: () => Promise<string>;
  /** A name in the suite's namespace. */
  readonly key: (name: string) => ObjectKey;
}

const log = (line: string) => console.log(`    ${line}`);

/**
 * Sets up the cluster and the servers where no suite before did, and a namespace. Afterwards the namespaces are
 * deleted, and go while the next suites run: who needs them gone calls `untilAllRemoved`.
 */
export function useSuite(): Suite {
  const suite = {} as { -readonly [Field in keyof Suite]: Suite[Field] };
  const made: string[] = [];
  const newNamespace = async () => {
    const name = await createNamespace(suite.client, { prefix: 'e2e' });
    made.push(name);
    return name;
  };

  before('set-up', async function () {
    // Building Kubernetes takes minutes, on the first run.
    this.timeout(0);
    const environment = await prepareEnvironment(log);
    const sources = await prepareSources(environment, log);
    Object.assign(suite, environment, sources, { newNamespace, key: (name: string) => ({ namespace, name }) });
    const namespace = await newNamespace();
    suite.namespace = namespace;
  });

  after('delete the namespaces', async function () {
    const title = this.test?.parent?.fullTitle() ?? '';
    await Promise.all(made.map((name) => beginRemoval(suite.client, name, title)));
  });

  return suite;
}
