import { randomBytes } from 'node:crypto';
import { populationAnnotation } from '../../api/annotations.ts';
import { UPLOAD_API_VERSION, UPLOAD_GROUP, V1BETA1 } from '../../api/group.ts';
import { type UploadTokenRequest, uploadTokenRequest } from '../../api/upload-token-request.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  subjectAccessReviews,
} from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isUploaded, isUploadTarget } from '../../protocol/upload-target.ts';
import type { User } from './front-proxy.ts';
import { StatusError } from './status-error.ts';
import type { TokenSigner } from './token-signer.ts';

export const UPLOAD_TOKEN_REQUESTS = 'uploadtokenrequests';

/** What a user asks for, of the API's conventions. */
export interface CreateOptions {
  /** Whether fields that are not known are refused, instead of ignored. */
  readonly isStrict: boolean;
  /** Whether nothing but an answer is wanted. */
  readonly isDryRun: boolean;
}

/** Gives out the tokens by which users upload into claims. */
export class UploadTokens {
  readonly #client: KubeClient;
  readonly #signer: () => TokenSigner | undefined;

  constructor(client: KubeClient, signer: () => TokenSigner | undefined) {
    this.#client = client;
    this.#signer = signer;
  }

  /**
   * Creates a token for a claim.
   *
   * @param body as it was received
   * @throws StatusError Forbidden where the user may not; NotFound, Invalid or Conflict where nothing can be uploaded
   *   into the claim; BadRequest or Invalid for a request that is none
   */
  async create(user: User, namespace: string, body: unknown, options: CreateOptions): Promise<UploadTokenRequest> {
    await this.#requireRight(user, namespace);
    const request = parse(body, options.isStrict);
    const { metadata, spec } = request;
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw new StatusError(
        'BadRequest',
        `the namespace of the object ("${metadata.namespace}") is not that of the request ("${namespace}")`,
      );
    }
    const key = { namespace, name: spec.pvcName };
    const uid = requireUploadTarget(await this.#client.get(persistentVolumeClaims, key), key.name, namespace);
    const created = {
      ...request,
      metadata: {
        ...metadata,
        namespace,
        name: metadata.name ?? `${metadata.generateName ?? ''}${randomBytes(3).toString('hex')}`,
        creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
      },
    };
    if (options.isDryRun) return { ...created, status: {} };
    const signer = this.#signer();
    if (!signer) {
      throw new StatusError('ServiceUnavailable', 'the key of upload tokens is not there yet; try again in a moment');
    }
    const resource = { group: '', version: 'v1', resource: 'persistentvolumeclaims' } as const;
    return { ...created, status: { token: await signer.sign({ operation: 'Upload', ...key, uid, resource }) } };
  }

  async #requireRight({ name, groups, extra }: User, namespace: string): Promise<void> {
    const review = await this.#client.create(subjectAccessReviews, {
      spec: {
        user: name,
        groups: [...groups],
        extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
        resourceAttributes: {
          namespace,
          verb: 'create',
          group: UPLOAD_GROUP,
          version: V1BETA1,
          resource: UPLOAD_TOKEN_REQUESTS,
        },
      },
    });
    if (review.status?.allowed) return;
    throw new StatusError(
      'Forbidden',
      `${UPLOAD_TOKEN_REQUESTS}.${UPLOAD_GROUP} is forbidden: User "${name}" cannot create resource ` +
        `"${UPLOAD_TOKEN_REQUESTS}" in API group "${UPLOAD_GROUP}" in the namespace "${namespace}"`,
    );
  }
}

/** Fields that are not known are dropped, unless the user asked to be told. Clients may leave the type out. */
function parse(body: unknown, isStrict: boolean): UploadTokenRequest {
  const given = isRecord(body) ? body : {};
  const spec = isRecord(given['spec']) ? given['spec'] : {};
  const typed = { apiVersion: UPLOAD_API_VERSION, kind: 'UploadTokenRequest', metadata: {}, ...given };
  const { apiVersion, kind, metadata } = typed;
  const candidate = isStrict ? typed : { apiVersion, kind, metadata, spec: { pvcName: spec['pvcName'] } };
  const result = uploadTokenRequest.safeParse(candidate);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'the object'}: ${message}`);
  throw new StatusError('Invalid', `this is no valid UploadTokenRequest: ${problems.join('; ')}`);
}

/** @returns the uid of the claim */
function requireUploadTarget(claim: PersistentVolumeClaim | undefined, name: string, namespace: string): string {
  if (!claim) {
    throw new StatusError(
      'NotFound',
      `persistentvolumeclaims "${name}" not found in namespace "${namespace}"; spec.pvcName names the claim to upload into`,
    );
  }
  const { uid = '', deletionTimestamp } = claim.metadata ?? {};
  if (!isUploadTarget(claim)) {
    throw new StatusError(
      'Invalid',
      `claim "${name}" takes no upload: it needs the annotation ${populationAnnotation.uploadTarget}, ` +
        'or a DataVolume with source.upload',
    );
  }
  if (deletionTimestamp) throw new StatusError('Conflict', `claim "${name}" is being deleted`);
  if (isUploaded(claim)) {
    throw new StatusError('Conflict', `claim "${name}" has its upload already; upload into another one`);
  }
  return uid;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
