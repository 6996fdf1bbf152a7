import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

/** Domain of the labels that an image may request. */
const DOMAIN = 'kubevirt.io';
/** Domain below it with labels that the controllers themselves act on. */
const OWN_DOMAIN = 'cdi.kubevirt.io';
const LONGEST_DOMAIN = 253;

const domainPattern = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;
const partPattern = /(^|\.)-|-(\.|$)/;
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/**
 * Returns which of the labels that an importer found on its image a claim may get. Anybody can create an image, so the
 * labels must have keys and values that the API accepts, be of KubeVirt's domains, and not be used by the controllers
 * or their policies.
 */
export function claimLabelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => isKey(key) && isValue(value)));
}

/** Returns those of an image's labels that the claim lacks: a user's label takes precedence over the image's. */
export function missingLabels(
  claim: PersistentVolumeClaim,
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => claim.metadata?.labels?.[name] === undefined));
}

function isKey(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = key.slice(0, Math.max(slash, 0));
  if (domain.length > LONGEST_DOMAIN || !domainPattern.test(domain) || partPattern.test(domain)) return false;
  return isWithin(domain, DOMAIN) && !isWithin(domain, OWN_DOMAIN) && namePattern.test(key.slice(slash + 1));
}

function isValue(value: string): boolean {
  return value === '' || namePattern.test(value);
}

function isWithin(domain: string, other: string): boolean {
  return domain === other || domain.endsWith(`.${other}`);
}
