import { describeGrant, type Grant } from '../../../support/grants.ts';
import { refusal } from './api.ts';
import type { AccessRequest, Authorize } from './client.ts';

/** Authorizes by grants, as RBAC does. */
export class Authorizer {
  /** Those that have allowed something. */
  readonly used = new Set<Grant>();
  readonly #grants: readonly Grant[];

  constructor(grants: readonly Grant[]) {
    this.#grants = grants;
  }

  readonly authorize: Authorize = (request) => {
    const allowing = this.#grants.filter((grant) => allows(grant, request));
    if (allowing.length === 0) throw refusal(403, 'Forbidden', `may not ${describeRequest(request)}`);
    for (const grant of allowing) this.used.add(grant);
  };
}

function allows(grant: Grant, { verb, resource, subresource, namespace, name }: AccessRequest): boolean {
  return (
    grant.verb === verb &&
    grant.group === resource.group &&
    grant.resource === [resource.plural, ...(subresource ? [subresource] : [])].join('/') &&
    (grant.name === undefined || grant.name === name) &&
    (grant.namespace === undefined || grant.namespace === namespace)
  );
}

function describeRequest({ verb, resource: { group, plural }, subresource, namespace, name }: AccessRequest): string {
  const resource = subresource ? `${plural}/${subresource}` : plural;
  return describeGrant({ verb, group, resource, name, namespace });
}
