import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

/** The domain of the labels that an image may ask for. */
const DOMAIN = 'kubevirt.io';
/** Those below it that the controllers act on themselves. */
const OWN_DOMAIN = 'cdi.kubevirt.io';
const LONGEST_DOMAIN = 253;

const domainPattern = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;
const partPattern = /(^|\.)-|-(\.|$)/;
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/**
 * The labels for a claim of those that an importer has found on its image, which is anybody's: with keys and values that the API
 * accepts, of KubeVirt's domains, and none that the controllers or their policies go by.
 */
export function claimLabelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => isKey(key) && isValue(value)));
}

/** Of an image's labels, those that the claim does not have: what a user wrote there wins over what an image says. */
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
