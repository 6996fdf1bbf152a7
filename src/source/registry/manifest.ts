import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';

/** Most layers; container runtimes support 127 at most. */
const MOST_LAYERS = 1000;
/** Most entries of an index; there are some tens of platforms. */
const MOST_MANIFESTS = 1000;
/** Most platforms that a message lists. */
const MOST_NAMED = 10;

const digest = z.string().regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);
const descriptor = z.object({ mediaType: z.string().optional(), digest, size: z.number().int().nonnegative() });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor), artifactType: z.string().optional() });
const platform = z.object({ architecture: z.string(), os: z.string().optional(), variant: z.string().optional() });
const index = z.object({
  manifests: z.array(
    descriptor.extend({
      platform: platform.optional(),
      artifactType: z.string().optional(),
      annotations: z.record(z.string(), z.string()).nullish(),
    }),
  ),
});
const config = z.object({
  config: z
    .object({ Env: z.array(z.string()).nullish(), Labels: z.record(z.string(), z.string()).nullish().catch(undefined) })
    .nullish(),
});

/** A descriptor (OCI image specification, descriptor.md). */
export type Descriptor = z.infer<typeof descriptor>;
export type Manifest = z.infer<typeof manifest>;
export type Index = z.infer<typeof index>;

/** Media types of all documents that may describe an image. */
export const acceptedManifests = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** @throws TransferError ProtocolViolation, UnsupportedImage where it is too long */
export function parseManifest(document: string, location: string): { manifest: Manifest } | { index: Index } {
  const json = parseJson(document, location);
  const asIndex = index.safeParse(json);
  if (asIndex.success) {
    if (asIndex.data.manifests.length > MOST_MANIFESTS)
      throw tooMany(location, MOST_MANIFESTS, 'manifests in its index');
    return { index: asIndex.data };
  }
  const asManifest = manifest.safeParse(json);
  if (asManifest.success) {
    if (asManifest.data.layers.length > MOST_LAYERS) throw tooMany(location, MOST_LAYERS, 'layers');
    return { manifest: asManifest.data };
  }
  throw new TransferError('ProtocolViolation', `${location} has no image manifest that is understood here`);
}

/**
 * Selects the manifest for an architecture, as image indexes spell it: amd64, arm64, s390x. Of several variants it is
 * the one without a variant, or the lowest, which runs on every machine of that architecture.
 *
 * @throws TransferError PlatformNotFound
 */
export function selectPlatform(
  { manifests }: Index,
  architecture: string,
  location: string,
): Index['manifests'][number] {
  const images = manifests.filter((each) => !isArtifact(each) && (each.platform?.os ?? 'linux') === 'linux');
  const [match] = images
    .filter(({ platform }) => platform?.architecture === architecture)
    .toSorted((one, other) => variantOf(one) - variantOf(other));
  if (match !== undefined) return match;
  const [only] = images;
  if (images.length === 1 && only !== undefined && only.platform === undefined) return only;
  const names = [...new Set(images.map((image) => image.platform?.architecture.slice(0, 100) ?? 'unknown'))];
  const offered = [...names.slice(0, MOST_NAMED), ...(names.length > MOST_NAMED ? ['others'] : [])].join(', ');
  throw new TransferError(
    'PlatformNotFound',
    `${location} has no image for ${architecture}, only for ${offered || 'none'}: choose one by platform.architecture`,
  );
}

/** Whether an entry of an index is not an image, but a signature, an SBOM, or the like. */
function isArtifact({ artifactType, annotations, platform }: Index['manifests'][number]): boolean {
  const isAttestation = annotations?.['vnd.docker.reference.type'] !== undefined;
  const isOfNoPlatform = platform?.architecture === 'unknown' && platform.os === 'unknown';
  return artifactType !== undefined || isAttestation || isOfNoPlatform;
}

/**
 * Returns the variant as a number: of amd64 v1 to v4, of arm v5 to v8. No variant means the baseline of the
 * architecture.
 */
function variantOf({ platform }: Index['manifests'][number]): number {
  return Number(/^v(\d{1,3})/.exec(platform?.variant ?? 'v0')?.[1] ?? Infinity);
}

/** Returns the environment in an image's configuration, as `NAME=value`, and its labels. */
export function parseConfiguration(
  document: string,
  location: string,
): { environment: string[]; labels: Record<string, string> } {
  const parsed = config.safeParse(parseJson(document, location));
  const { Env, Labels } = parsed.data?.config ?? {};
  return { environment: Env ?? [], labels: Labels ?? {} };
}

function tooMany(location: string, limit: number, what: string): TransferError {
  return new TransferError(
    'UnsupportedImage',
    `${location} has more than ${limit} ${what}, and no more are looked through: build it with fewer`,
  );
}

function parseJson(document: string, location: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    throw new TransferError('ProtocolViolation', `${location} is described by something that is not JSON`, {
      cause: error,
    });
  }
}
