import type { KubeClient } from '../../../src/kube/client.ts';
import { eventually } from '../../support/eventually.ts';
import { clientAs } from '../../support/impersonation.ts';
import { cloningFrom, mayDo } from '../../support/rights.ts';
import type { Suite } from './suite.ts';

/** Namespaces, and the users who have rights in them. */
export interface Tenants {
  /** Where nobody but the cloner has any right, and only the right to clone from there. */
  readonly victim: string;
  /** The tenant's and the cloner's. */
  readonly home: string;
  /** The namespace administrator's. */
  readonly realm: string;
  /** Where the DataVolume user may make DataVolumes. */
  readonly office: string;
  /** `edit` at home. */
  readonly tenant: KubeClient;
  /** Everything in the realm, subresources too. */
  readonly namespaceAdmin: KubeClient;
  /** `create`, `get` and `list` on `datavolumes` in the office. */
  readonly dataVolumeUser: KubeClient;
  /** `edit` at home and in the realm, and `create datavolumes/source` in the victim's namespace. */
  readonly cloner: KubeClient;
  /** Takes the cloner's right to clone away; resolves when the API server knows. */
  readonly withdraw: () => Promise<void>;
  /** Gives it back. */
  readonly grant: () => Promise<void>;
}

const users = { tenant: 'tenant', namespaceAdmin: 'namespace-admin', dataVolumeUser: 'dv-user', cloner: 'clone-user' };

/** Makes the namespaces and the users before the tests of a suite; the namespaces go with the suite. */
export function useTenants(suite: Suite): Tenants {
  const tenants = {} as { -readonly [Field in keyof Tenants]: Tenants[Field] };

  before('namespaces and users', async () => {
    const { kubectl, kubeConfigPath } = suite;
    tenants.victim = await suite.newNamespace();
    tenants.home = await suite.newNamespace();
    tenants.realm = await suite.newNamespace();
    tenants.office = await suite.newNamespace();
    tenants.tenant = clientAs(kubeConfigPath, users.tenant);
    tenants.namespaceAdmin = clientAs(kubeConfigPath, users.namespaceAdmin);
    tenants.dataVolumeUser = clientAs(kubeConfigPath, users.dataVolumeUser);
    tenants.cloner = clientAs(kubeConfigPath, users.cloner);
    const { victim, home, realm, office, cloner } = tenants;
    const create = (namespace: string, ...args: string[]) => kubectl.run('-n', namespace, 'create', ...args);
    const bind = (namespace: string, name: string, role: string, ...names: string[]) =>
      create(namespace, 'rolebinding', name, role, ...names.map((user) => `--user=${user}`));
    tenants.grant = async () => {
      await bind(victim, 'clone', '--role=clone', users.cloner);
      await eventually('the right to clone is there', () => mayDo(cloner, cloningFrom(victim)));
    };
    tenants.withdraw = async () => {
      await kubectl.run('-n', victim, 'delete', 'rolebinding', 'clone');
      await eventually('the right to clone is gone', async () => !(await mayDo(cloner, cloningFrom(victim))));
    };
    await create(office, 'role', 'volumes', '--verb=create,get,list', '--resource=datavolumes.cdi.kubevirt.io');
    await create(victim, 'role', 'clone', '--verb=create', '--resource=datavolumes.cdi.kubevirt.io/source');
    await bind(home, 'edit', '--clusterrole=edit', users.tenant, users.cloner);
    await bind(realm, 'everything', '--clusterrole=cluster-admin', users.namespaceAdmin);
    await bind(realm, 'edit', '--clusterrole=edit', users.cloner);
    await bind(office, 'volumes', '--role=volumes', users.dataVolumeUser);
    await tenants.grant();
    await allTakeEffect(tenants);
  });

  after('end the connections', async () => {
    const { tenant, namespaceAdmin, dataVolumeUser, cloner } = tenants;
    await Promise.all([tenant, namespaceAdmin, dataVolumeUser, cloner].map((client) => client?.close()));
  });

  return tenants;
}

/** The API server learns of roles a moment after they were made. */
async function allTakeEffect(tenants: Tenants): Promise<void> {
  const making = { verb: 'create', group: 'cdi.kubevirt.io', resource: 'datavolumes' };
  for (const [client, namespace] of [
    [tenants.tenant, tenants.home],
    [tenants.cloner, tenants.home],
    [tenants.cloner, tenants.realm],
    [tenants.namespaceAdmin, tenants.realm],
    [tenants.dataVolumeUser, tenants.office],
  ] as const)
    await eventually(`DataVolumes may be made in ${namespace}`, () => mayDo(client, { ...making, namespace }));
}
