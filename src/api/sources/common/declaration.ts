import type * as z from 'zod';
import type { FeatureGate } from '../../cdi-config.ts';

export type Annotations = Readonly<Record<string, string>>;

/** What one kind of source declares about itself. */
export interface SourceDeclaration<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** Field of `spec.source` that selects the source. */
  readonly name: Name;
  /**
   * Creates the schema of that field; its descriptions are shown by `kubectl explain`. It is created on demand, because
   * it would delay the start of an importer, which does not need it.
   */
  schema(this: void): Schema;
  /** What fills the claim: an importer pod, the cloning controllers, or a client that uploads. */
  readonly population: 'import' | 'clone' | 'upload';
  /** What the source produces instead of an archive; only for sources that cannot have one. */
  readonly noArchive?: string;
}

/** Schema of an importer pod's request; its `type` distinguishes the requests of all sources. */
export type RequestSchema = z.ZodObject<{ type: z.ZodLiteral<string> }>;

/** A source that an importer pod reads, or would read in a version that supports it. */
export interface ImportedSource<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Request extends RequestSchema = RequestSchema,
> extends SourceDeclaration<Name, Schema> {
  readonly population: 'import';
  /** Value of the annotation storage.import.source on a claim with this source. */
  readonly claimValue: string;
  /** Whether it can be imported in stages, each up to a snapshot of the disk. */
  readonly hasCheckpoints?: boolean;
  /**
   * Returns the annotations of a claim that represent the field, besides storage.import.source; undefined ones are
   * omitted.
   */
  toAnnotations(spec: z.output<Schema>): Readonly<Record<string, string | undefined>>;
  /** How an importer pod is configured for the source; undefined while this version cannot import it. */
  readonly importer?: ImporterDeclaration<Request>;
}

/** What an importer pod needs in order to read a source. */
export interface ImporterDeclaration<Request extends RequestSchema = RequestSchema> {
  /** Every kind of request that {@link toRequest} makes. */
  readonly requests: readonly Request[];
  /** Reads the request from a claim's annotations, which anybody may have written and which may contain anything. */
  toRequest(annotations: Annotations, settings: ImportSettings): z.output<Request> | Refusal;
  /** Returns the objects of the claim's namespace that the pod mounts; none by default. */
  neededObjects?(annotations: Annotations): NeededObjects;
  /** Returns the image that the node has to pull, and to keep beside the importer. */
  pulledImage?(annotations: Annotations): PulledImage | undefined;
  /** Whether only some nodes reach the source, so that a claim may select others than those of the installation. */
  readonly selectsNodes?: boolean;
  /** The image with a library that Diskpress may not have; undefined where none is needed. */
  readonly libraryImage?: LibraryImage;
}

/** The settings of the installation that a request depends on. */
export interface ImportSettings {
  /** Registries as `host[:port]` that may be accessed over plain HTTP or with any certificate. */
  readonly insecureRegistries: readonly string[];
  hasFeatureGate(gate: FeatureGate): boolean;
}

/**
 * Explains why a claim's annotations cannot be imported until somebody changes something, and what to do, in a sentence
 * for the user.
 */
export interface Refusal {
  readonly refusal: string;
}

/** Names of Secrets and of a ConfigMap; an empty name counts as a missing one. */
export interface NeededObjects {
  readonly credentials?: {
    readonly secretName: string | undefined;
    /** Alternative sets of keys; the Secret must have all keys of one of them. */
    readonly keys: readonly (readonly string[])[];
  };
  /** Names of Secrets whose values are header lines, in order. */
  readonly secretHeaders?: readonly string[];
  /** Name of a ConfigMap with PEM certificates. */
  readonly certificates?: string | undefined;
  /** Name of a ConfigMap with options of the library. */
  readonly libraryOptions?: string | undefined;
}

/** Where a container image with a library is named: it copies the library into a folder that the importer shares. */
export interface LibraryImage {
  /** Annotation of the claim, which takes precedence. */
  readonly annotation: string;
  /** ConfigMap in the namespace of the installation, and its key. */
  readonly configMap: string;
  readonly key: string;
  /** Name of the container. */
  readonly container: string;
  /** Where the library is copied to in both containers. */
  readonly directory: string;
  /** Reason of a claim that waits for one of these. */
  readonly awaitedReason: 'AwaitingVDDK';
}

/** A container image that the node's container runtime pulls for a pod. */
export interface PulledImage {
  /** Reference of the image: `host[:port]/repository[:tag|@digest]`. */
  readonly image: string;
  /** Name of the Secret to pull the image with, in addition to those of the installation. */
  readonly secretName: string | undefined;
  /** Architecture that the node must have, as Kubernetes spells it. */
  readonly architecture: string | undefined;
}
