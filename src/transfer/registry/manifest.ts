import * as z from 'zod';
import { TransferError } from '../errors.ts';

const digest = z.string().regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);
const descriptor = z.object({ mediaType: z.string().optional(), digest, size: z.number().int().nonnegative() });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });
const index = z.object({
  manifests: z.array(
    descriptor.extend({ platform: z.object({ architecture: z.string(), os: z.string().optional() }).optional() }),
  ),
});
const config = z.object({ config: z.object({ Env: z.array(z.string()).nullish() }).nullish() });

/** OCI image specification, descriptor.md */
export type Descriptor = z.infer<typeof descriptor>;
export type Manifest = z.infer<typeof manifest>;
export type Index = z.infer<typeof index>;

/** Every kind of document that may describe an image. */
export const acceptedManifests = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

/** @throws TransferError ProtocolViolation */
export function parseManifest(document: string, location: string): { manifest: Manifest } | { index: Index } {
  const json = parseJson(document, location);
  const asIndex = index.safeParse(json);
  if (asIndex.success) return { index: asIndex.data };
  const asManifest = manifest.safeParse(json);
  if (asManifest.success) return { manifest: asManifest.data };
  throw new TransferError('ProtocolViolation', `${location} has no image manifest that is understood here`);
}

/** The manifest for an architecture, as image indexes spell it: amd64, arm64, s390x. */
export function selectPlatform(
  { manifests }: Index,
  architecture: string,
  location: string,
): Index['manifests'][number] {
  const images = manifests.filter(({ platform }) => platform?.os === undefined || platform.os === 'linux');
  const match = images.find(({ platform }) => platform?.architecture === architecture);
  if (match !== undefined) return match;
  const [only] = images;
  if (images.length === 1 && only !== undefined && only.platform === undefined) return only;
  const offered = images.map(({ platform }) => platform?.architecture ?? 'unknown').join(', ');
  throw new TransferError(
    'PlatformNotFound',
    `${location} has no image for ${architecture}, only for ${offered || 'none'}: choose one by platform.architecture`,
  );
}

/** The environment that an image's configuration sets, as `NAME=value`. */
export function parseEnvironment(document: string, location: string): string[] {
  const parsed = config.safeParse(parseJson(document, location));
  return parsed.data?.config?.Env ?? [];
}

function parseJson(document: string, location: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    throw new TransferError('ProtocolViolation', `${location} is described by something that is no JSON`, {
      cause: error,
    });
  }
}
