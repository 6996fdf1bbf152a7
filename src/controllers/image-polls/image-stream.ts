import * as z from 'zod';
import { TransferError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import { defineResource, type KubeObject } from '../../kube/resource.ts';
import type { ImageVersion, KnownVersion } from './image-poller.ts';
import { notAllowed } from './not-allowed.ts';

/** ImageStreams of OpenShift. */
export const imageStreams = defineResource<KubeObject>({
  group: 'image.openshift.io',
  version: 'v1',
  kind: 'ImageStream',
  plural: 'imagestreams',
  namespaced: true,
});

/** The images of each tag, of which the first one is the newest. */
const imageStream = z.object({
  status: z.object({
    tags: z.array(
      z.object({
        tag: z.string(),
        items: z.array(z.object({ image: z.string(), dockerImageReference: z.string() })).nullish(),
      }),
    ),
  }),
});
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/**
 * Returns the version that an ImageStream has now.
 *
 * @param given its name, or `name:tag`; by default it is the first tag
 * @throws TransferError NotFound; WaitingError ErrForbidden
 */
export async function imageStreamVersion(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  given: string,
  known: KnownVersion | undefined,
  signal: AbortSignal,
): Promise<ImageVersion> {
  const [name = '', tag] = given.split(':', 2);
  const where = `ImageStream "${name}" in namespace "${namespace}"`;
  const found = await client.get(imageStreams, { namespace, name }, { signal }).catch((error: unknown) => {
    throw isForbidden(error) ? notAllowed(imageStreams, { namespace, name }, error) : error;
  });
  if (found === undefined) {
    throw new TransferError(
      'NotFound',
      `there is no ${where}: create it, or where the cluster has no ImageStreams, which only OpenShift has, give the registry url of the image`,
    );
  }
  const tags = imageStream.safeParse(found).data?.status.tags ?? [];
  const chosen = tag === undefined ? tags[0] : tags.find((each) => each.tag === tag);
  const [newest] = chosen?.items ?? [];
  if (newest === undefined || !digestPattern.test(newest.image)) {
    const what = tag === undefined ? 'no tag with an image' : `no image for the tag ${tag}`;
    throw new TransferError(
      'NotFound',
      `${where} has ${what}: see its status, which says whether it could be imported`,
    );
  }
  const { image: digest, dockerImageReference: pullReference } = newest;
  return { digest, pullReference, unchanged: digest === known?.digest };
}
