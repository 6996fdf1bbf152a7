import type * as z from 'zod';
import type { FeatureGate } from '../../cdi-config.ts';

export type Annotations = Readonly<Record<string, string>>;

/** What one kind of source declares about itself. */
export interface SourceDeclaration<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** The field of `spec.source` that asks for it. */
  readonly name: Name;
  /**
   * Makes the schema of that field; its descriptions become those of `kubectl explain`. It is made where it is needed, since an importer,
   * which does not, would take longer to start.
   */
  schema(this: void): Schema;
  /** What fills the claim: an importer pod, the controllers that clone, or a client that uploads. */
  readonly population: 'import' | 'clone' | 'upload';
  /** What it makes instead, where there can be no archive in it. */
  readonly noArchive?: string;
}

/** The schema of the request that an importer pod gets; `type` tells the requests of all sources apart. */
export type RequestSchema = z.ZodObject<{ type: z.ZodLiteral<string> }>;

/** A source that an importer pod reads, or would in a version that supports it. */
export interface ImportedSource<
  Name extends string = string,
  Schema extends z.ZodType = z.ZodType,
  Request extends RequestSchema = RequestSchema,
> extends SourceDeclaration<Name, Schema> {
  readonly population: 'import';
  /** Value of the annotation storage.import.source on a claim that asks for it. */
  readonly claimValue: string;
  /** The annotations of a claim that stand for the field, besides storage.import.source; undefined ones are left out. */
  toAnnotations(spec: z.output<Schema>): Readonly<Record<string, string | undefined>>;
  /** How an importer pod is asked for it; undefined while this version cannot import it. */
  readonly importer?: ImporterDeclaration<Request>;
}

/** What an importer pod needs in order to read a source. */
export interface ImporterDeclaration<Request extends RequestSchema = RequestSchema> {
  /** Every kind of request that {@link toRequest} makes. */
  readonly requests: readonly Request[];
  /** Reads the request from a claim's annotations, which may be anybody's and say anything. */
  toRequest(annotations: Annotations, settings: ImportSettings): z.output<Request> | Refusal;
  /** The objects of the claim's namespace that the pod mounts; none by default. */
  neededObjects?(annotations: Annotations): NeededObjects;
  /** An image that the node is to pull and to keep beside the importer. */
  pulledImage?(annotations: Annotations): PulledImage | undefined;
}

/** The settings of the installation that a request depends on. */
export interface ImportSettings {
  /** Registries, `host[:port]`, that may be spoken to over plain http or with any certificate. */
  readonly insecureRegistries: readonly string[];
  hasFeatureGate(gate: FeatureGate): boolean;
}

/** Why a claim's annotations cannot be imported until somebody changes something, and what to do: a sentence for the user. */
export interface Refusal {
  readonly refusal: string;
}

/** Names of Secrets and of a ConfigMap; an empty name and a missing one are none. */
export interface NeededObjects {
  readonly credentials?: {
    readonly secretName: string | undefined;
    /** The Secret must have all keys of one of these. */
    readonly keys: readonly (readonly string[])[];
  };
  /** Secrets whose values are header lines, in their order. */
  readonly secretHeaders?: readonly string[];
  /** A ConfigMap with PEM certificates. */
  readonly certificates?: string | undefined;
}

/** A container image that the runtime of the node pulls for a pod. */
export interface PulledImage {
  /** `host[:port]/repository[:tag|@digest]` */
  readonly image: string;
  /** The Secret to pull it with, besides those of the installation. */
  readonly secretName: string | undefined;
  /** Architecture that the node must have, as Kubernetes spells it. */
  readonly architecture: string | undefined;
}
