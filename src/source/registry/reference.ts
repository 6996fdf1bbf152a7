import { TransferError } from '../../base/errors.ts';

/** An image in a registry. */
export interface ImageReference {
  /** The server to connect to, host[:port]. */
  host: string;
  repository: string;
  /** A tag or a digest. */
  reference: string;
  /** Location for messages. */
  location: string;
}

const DOCKER_HUB = 'registry-1.docker.io';
const dockerHubNames = new Set(['docker.io', 'index.docker.io', DOCKER_HUB]);
const digestPattern = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const repositoryPattern = /^[a-z0-9]+(?:(?:\.|__?|-+|\/)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * @param url docker://[host[:port]/]repository[:tag][@digest]; without a host it is one of Docker Hub
 * @throws TransferError InvalidUrl
 */
export function parseImageReference(url: string): ImageReference {
  const name = url.replace(/^docker:\/\//, '');
  if (name === url) throw invalid('a registry URL begins with docker://');
  const [withTag = '', digest] = splitLast(name, '@');
  const slash = withTag.indexOf('/');
  const first = slash < 0 ? '' : withTag.slice(0, slash);
  // By convention, a first part without a dot or a port is not a host name.
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  const host = hasHost ? first : 'docker.io';
  const [repository = '', tag = 'latest'] = splitLast(hasHost ? withTag.slice(slash + 1) : withTag, ':');
  if (!repositoryPattern.test(repository)) throw invalid(`${repository || 'nothing'} is no repository name`);
  if (!tagPattern.test(tag)) throw invalid('its tag is not valid');
  if (digest !== undefined && !digestPattern.test(digest)) throw invalid('its digest is not valid');
  const isHub = dockerHubNames.has(host);
  const fullRepository = isHub && !repository.includes('/') ? `library/${repository}` : repository;
  const suffix = digest === undefined ? `:${tag}` : `@${digest}`;
  return {
    host: isHub ? DOCKER_HUB : host,
    repository: fullRepository,
    reference: digest ?? tag,
    location: `docker://${isHub ? 'docker.io' : host}/${fullRepository}${suffix}`,
  };
}

function splitLast(text: string, separator: string): [string, string | undefined] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(why: string): TransferError {
  return new TransferError('InvalidUrl', `the registry URL should be docker://host[:port]/repository[:tag]: ${why}`);
}
