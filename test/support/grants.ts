import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { objectsIn } from './deployed.ts';
import type { Kubectl } from './kubectl.ts';

/** A single thing that a role allows. */
export interface Grant {
  readonly verb: string;
  readonly group: string;
  /** With its subresource, as `pods/status`. */
  readonly resource: string;
  /** Of the only object; undefined where it is for all. */
  readonly name: string | undefined;
  /** The only namespace; undefined where it is for all. */
  readonly namespace: string | undefined;
}

type Role = KubernetesObject & { readonly rules?: readonly V1PolicyRule[] };

/** Everything that the roles in a file below deploy/ grant, each single thing by itself. */
export function grantsIn(file: string): Grant[] {
  return objectsIn(file).flatMap(({ kind, metadata, rules = [] }: Role) => {
    if (kind !== 'ClusterRole' && kind !== 'Role') return [];
    const namespace = kind === 'Role' ? metadata?.namespace : undefined;
    return rules.flatMap(({ apiGroups = [], resources = [], resourceNames, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            (resourceNames ?? [undefined]).map((name) => ({ verb, group, resource, name, namespace })),
          ),
        ),
      ),
    );
  });
}

/** What a grant is called in the names of tests. */
export function describeGrant({ verb, group, resource, name, namespace }: Grant): string {
  return [
    verb,
    group ? `${resource}.${group}` : resource,
    ...(name ? [`"${name}"`] : []),
    ...(namespace ? [`in ${namespace}`] : []),
  ].join(' ');
}

/** A user of a test, who has these rights alone. */
export interface LimitedUser {
  readonly name: string;
  readonly token: string;
  readonly rights: readonly Grant[];
}

/** Returns one who has all rights, and then for each right one who lacks it. */
export function usersLackingOne(grants: readonly Grant[]): LimitedUser[] {
  return [undefined, ...grants].map((lacking, index) => ({
    name: `user-${index}`,
    token: `token-${index}`,
    rights: grants.filter((grant) => grant !== lacking),
  }));
}

/** Returns their names by their tokens, as an API server of a test is told. */
export function tokensOf(users: readonly LimitedUser[]): Record<string, string> {
  return Object.fromEntries(users.map(({ name, token }) => [token, name]));
}

/** Gives users their rights. */
export async function grantRights(kubectl: Pick<Kubectl, 'applyText'>, users: readonly LimitedUser[]): Promise<void> {
  const roles = users.flatMap(({ name, rights }) => rolesOf(name, rights));
  await kubectl.applyText(roles.map((object) => stringify(object)).join('---\n'));
}

/** The manifests by which a user has these rights, and no others. */
function rolesOf(user: string, grants: readonly Grant[]): KubernetesObject[] {
  const namespaces = [...new Set(grants.map(({ namespace }) => namespace))];
  return namespaces.flatMap((namespace) => {
    const kind = namespace === undefined ? 'ClusterRole' : 'Role';
    const metadata = { name: user, ...(namespace !== undefined && { namespace }) };
    const rules = grants
      .filter((grant) => grant.namespace === namespace)
      .map(({ verb, group, resource, name }) => ({
        verbs: [verb],
        apiGroups: [group],
        resources: [resource],
        ...(name !== undefined && { resourceNames: [name] }),
      }));
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: user };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
    return [
      { apiVersion, kind, metadata, rules },
      { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects },
    ];
  });
}

/** What matches a line of a role's metrics that counts what it was refused for want of a grant. */
export function refusalOf({ verb, resource }: Grant): RegExp {
  return new RegExp(
    `^rest_client_requests_total\\{verb="${verb}",resource="${resource}[^"]*",code="403"\\} [1-9]`,
    'm',
  );
}
