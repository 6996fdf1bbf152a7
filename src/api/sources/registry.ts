import * as z from 'zod';
import { populationAnnotation as names } from '../annotations.ts';
import { constrained, exactlyOneOf } from '../constraint.ts';
import { objectName } from '../references.ts';
import { LOGIN, urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { Annotations, ImportedSource } from './common/declaration.ts';
import { certConfigMap, secretRef, url } from './common/fields.ts';
import { refusalOfFiles } from './common/file-gate.ts';

const SCHEME = 'docker://';
const ARCHIVE_SCHEME = 'oci-archive:';

const fields = () =>
  z.strictObject({
    url: url([SCHEME, ARCHIVE_SCHEME])
      .optional()
      .describe('Image, docker://host[:port]/repository[:tag|@digest] or oci-archive:path.'),
    imageStream: objectName
      .optional()
      .describe('ImageStream in the same namespace that names the image; needs pullMethod node.'),
    pullMethod: z
      .enum(['pod', 'node'])
      .optional()
      .describe("pod (the default): the importer pulls the image. node: the node's container runtime does."),
    secretRef,
    certConfigMap,
    platform: z
      .strictObject({
        architecture: z.string().max(64).optional().describe('Architecture such as amd64 or arm64.'),
      })
      .optional()
      .describe('Which image of a multi-platform index to take; that of the importing node where it is missing.'),
  });

const schema = () =>
  constrained(fields(), [
    exactlyOneOf('registry', ['url', 'imageStream']),
    {
      rule: "!has(self.imageStream) || (has(self.pullMethod) && self.pullMethod == 'node')",
      message: 'registry.imageStream needs pullMethod node',
      check: ({ imageStream, pullMethod }) => imageStream === undefined || pullMethod === 'node',
    },
  ]).describe('A container image with a disk image in its /disk folder.');

const request = z.strictObject({
  type: z.literal('registry'),
  /**
   * docker://host[:port]/repository[:tag|@digest], or oci-archive: with an http(s) URL or a path below
   * SOURCE_FILES_DIRECTORY.
   */
  url: z.string(),
  /** Whether CDIConfig's insecureRegistries lists the registry, which allows plain HTTP and unverified TLS. */
  insecureRegistry: z.boolean(),
  /** Architecture as in an OCI image index's platform.architecture; the pod's own if it is missing. */
  architecture: z.string().optional(),
});

/** An image that the node has pulled, and that is the root filesystem of a container in the same pod. */
const pulledRequest = z.strictObject({
  type: z.literal('pulled-image'),
  /** Reference of the image: `host[:port]/repository[:tag|@digest]`. */
  image: z.string(),
});

/** A container image that contains a disk, pulled by the importer or by its node's container runtime. */
export const registry: ImportedSource<'registry', ReturnType<typeof schema>, typeof request | typeof pulledRequest> = {
  name: 'registry',
  schema,
  population: 'import',
  claimValue: 'registry',
  toAnnotations: (spec) => ({
    ...webAnnotations(spec),
    [names.importRegistryImageStream]: spec.imageStream,
    [names.importRegistryImportMethod]: spec.pullMethod,
    [names.importRegistryImageArchitecture]: spec.platform?.architecture,
  }),
  importer: {
    requests: [request, pulledRequest],
    toRequest(annotations, settings) {
      if (annotations[names.importRegistryImageStream]) {
        return {
          refusal: 'Importing from an ImageStream is not supported by this version; give the registry url of the image',
        };
      }
      const url = urlOf(annotations);
      if (isPulledByNode(annotations)) {
        return url.startsWith(SCHEME)
          ? { type: 'pulled-image', image: imageOf(url) }
          : { refusal: 'pullMethod node takes images of a registry: give a docker:// url' };
      }
      const refusal = isFile(url) ? refusalOfFiles(settings) : undefined;
      if (refusal) return refusal;
      const architecture = annotations[names.importRegistryImageArchitecture];
      return {
        type: 'registry',
        url,
        insecureRegistry: settings.insecureRegistries.includes(hostOf(url)),
        ...(architecture ? { architecture } : {}),
      };
    },
    // The node has certificates and credentials of its own, besides the pod's pull secrets.
    neededObjects: (annotations) =>
      isPulledByNode(annotations) ? {} : webObjects(annotations, LOGIN, ['.dockerconfigjson']),
    pulledImage(annotations) {
      if (!isPulledByNode(annotations)) return undefined;
      return {
        image: imageOf(urlOf(annotations)),
        secretName: annotations[names.importSecretName],
        architecture: annotations[names.importRegistryImageArchitecture],
      };
    },
  },
};

function isPulledByNode(annotations: Annotations): boolean {
  return annotations[names.importRegistryImportMethod] === 'node';
}

/** Reports whether the URL is a path in the importer's own container. */
function isFile(url: string): boolean {
  return url.startsWith(ARCHIVE_SCHEME) && !/^https?:\/\//.test(url.slice(ARCHIVE_SCHEME.length));
}

function imageOf(url: string): string {
  return url.startsWith(SCHEME) ? url.slice(SCHEME.length) : url;
}

/**
 * Returns host and port of a registry URL, such as `registry.example:5000` for
 * `docker://registry.example:5000/org/disk`.
 */
function hostOf(url: string): string {
  return imageOf(url).split('/', 1)[0] ?? '';
}
