import { createHash } from 'node:crypto';

/** The longest name of most objects: a DNS subdomain. */
const MAXIMUM_NAME_LENGTH = 253;
/**
 * The longest name of a pod that runs everywhere: the kubelet creates a folder <namespace>_<name>_<uid>, of 255
 * characters at most.
 */
const MAXIMUM_POD_NAME_LENGTH = 255 - '__'.length - 63 - 36;
/** The longest name of a Service, and the longest label value: a DNS label. */
const MAXIMUM_LABEL_LENGTH = 63;

const HASH_LENGTH = 8;

const digestOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);

/** Returns the name or, where it is too long, its beginning and a digest of all of it. Deterministic. */
function shortened(name: string, maximum: number): string {
  if (name.length <= maximum) return name;
  return `${name.slice(0, maximum - HASH_LENGTH - 1).replace(/[-.]+$/, '')}-${digestOf(name)}`;
}

/** Returns the text as a part of a name, with a digest of all of it where some characters cannot be in names. */
function nameable(text: string): string {
  const allowed = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return allowed === text ? text : `${allowed}-${digestOf(text)}`.replace(/^-/, '');
}

/** Name of the pod that imports into a claim, the whole disk or the stage that ends at a checkpoint. */
export const importerPodName = (claim: string, checkpoint?: string) =>
  shortened(
    `importer-${claim}${checkpoint === undefined ? '' : `-checkpoint-${nameable(checkpoint)}`}`,
    MAXIMUM_POD_NAME_LENGTH,
  );
/** Name of the pod that receives what is copied or uploaded into a claim. Clients of CDI rely on the prefix. */
export const uploadPodName = (claim: string) => shortened(`cdi-upload-${claim}`, MAXIMUM_POD_NAME_LENGTH);
/**
 * Name of the Service of the pod that receives a copy or an upload. It is one DNS label, so that a name with dots gets
 * a digest as well.
 */
export const uploadServiceName = (claim: string) => {
  const name = `cdi-upload-${claim}`;
  return name.includes('.')
    ? shortened(`${name.replaceAll('.', '-')}-${digestOf(name)}`, MAXIMUM_LABEL_LENGTH)
    : shortened(name, MAXIMUM_LABEL_LENGTH);
};
/** Name of the pod that reads the source of a clone, by the UID of the object that is populated. */
export const copySourcePodName = (ownerUid: string) => `${ownerUid}-source-pod`;
/** Name of the scratch claim of a claim. */
export const scratchClaimName = (claim: string) => {
  const suffix = '-scratch';
  return shortened(claim, MAXIMUM_NAME_LENGTH - suffix.length) + suffix;
};
/** Name of the ConfigMap with the certificates for the proxy of a claim's import. */
export const proxyCertificatesName = (claim: string) => {
  const suffix = '-proxy-ca';
  return shortened(claim, MAXIMUM_NAME_LENGTH - suffix.length) + suffix;
};
/** Name of the Secret with the proxies of a claim's import that need credentials, by that claim's UID. */
export const proxySecretName = (claimUid: string) => `cdi-transfer-${claimUid}-proxy`;
/** Name of a populator's working claim, by the UID of the target claim. */
export const primeClaimName = (claimUid: string) => `prime-${claimUid}`;
/** Name of the temporary claim that a clone's data is written to, by the UID of the target claim. */
export const temporaryClaimName = (claimUid: string) => `tmp-pvc-${claimUid}`;
/** Name of a clone source claim, by the UID of the target claim. */
export const temporarySourceClaimName = (claimUid: string) => `tmp-source-pvc-${claimUid}`;
/** Whether a claim may be temporary, judging by its name alone, which anybody could give to a claim. */
export const isTemporaryClaimName = (name: string) => /^(prime|tmp-pvc|tmp-source-pvc)-/.test(name);
/** Name of a temporary snapshot, by the UID of the claim for which it is taken. */
export const temporarySnapshotName = (claimUid: string) => `tmp-snapshot-${claimUid}`;
/** Name of the pod that mounts a clone's claim briefly, by that claim's UID. */
export const mountingPodName = (claimUid: string) => `prep-${claimUid}`;
/** Returns a label value for the name of an object, because label values are shorter than names may be. */
export const labelValueOf = (name: string) => shortened(name, MAXIMUM_LABEL_LENGTH);
/** Name of the Secret with the keys of a copy, by the UID of the claim that is copied into. */
export const transferSecretName = (claimUid: string) => `cdi-transfer-${claimUid}`;
