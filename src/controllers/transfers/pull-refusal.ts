import { printableText } from '../../base/printable.ts';

/** The container of a transfer pod that has a user's image, which the node pulls. */
export const PULLED_IMAGE_CONTAINER = 'image';

/** Longest sentence of the kubelet that is passed on, in characters. */
const LONGEST_SENTENCE = 1000;

const WAITING = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName']);

/** What a registry, or something before it, says for a while only, though it may speak of a refusal. */
const passing = /too ?many ?requests|rate limit|\b429\b|\b5\d\d (internal|bad gateway|service|gateway)/i;

/**
 * What containerd and CRI-O say where another attempt has the same end, with the reason for it, and what to do. A
 * message of a platform also says that something is not found.
 */
const refusals = [
  {
    reason: 'InvalidUrl',
    says: /invalid reference format|InvalidImageName|could not parse image reference/i,
    remedy: 'check the registry url',
  },
  {
    reason: 'PlatformNotFound',
    says: /no match for platform|no image found in (the )?(manifest list|image index)/i,
    remedy: 'choose a platform.architecture that the image and a node have',
  },
  {
    reason: 'Unauthorized',
    says: /unauthori[sz]ed|authentication required|authorization failed|no basic auth credentials|invalid username|access .*(is )?denied|\b403 forbidden|\bdenied: /i,
    remedy:
      'check the name of the image, and name a Secret of type kubernetes.io/dockerconfigjson for its registry in secretRef',
  },
  {
    reason: 'NotFound',
    says: /code = NotFound|manifest unknown|name unknown|: not found|\b404 not found/i,
    remedy: 'check the name and the tag of the image',
  },
] as const;

/** Why an image will not be pulled. */
export interface PullRefusal {
  readonly reason: (typeof refusals)[number]['reason'];
  readonly message: string;
}

/**
 * Returns why the node will not get a user's image, whenever it tries again; undefined where a later attempt may
 * succeed, or the kubelet does not say.
 *
 * @param waiting why the container waits, in the kubelet's words
 */
export function pullRefusal(
  container: string,
  waiting: { reason?: string | undefined; message?: string | undefined },
): PullRefusal | undefined {
  const { reason: why = '', message = '' } = waiting;
  if (container !== PULLED_IMAGE_CONTAINER || !WAITING.has(why)) return undefined;
  // Names of images and URLs are quoted, and may have any of these words in them.
  const said = `${why}: ${message.replaceAll(/"[^"]*"|https?:\/\/\S+/g, '')}`;
  const refusal = passing.test(said) ? undefined : refusals.find(({ says }) => says.test(said));
  if (refusal === undefined) return undefined;
  const sentence = printableText(message, LONGEST_SENTENCE) || why;
  return { reason: refusal.reason, message: `The node cannot pull the image: ${sentence}; ${refusal.remedy}` };
}
