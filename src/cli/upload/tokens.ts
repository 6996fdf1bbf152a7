import { UPLOAD_API_VERSION, UPLOAD_GROUP, V1BETA1 } from '../../api/group.ts';
import { UPLOAD_TOKEN_LIFETIME_SECONDS, type UploadTokenRequest } from '../../api/upload-token-request.ts';
import { TransferError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { defineResource } from '../../kube/resource.ts';
import { clusterFailures } from './cluster-failures.ts';

const uploadTokenRequests = defineResource<UploadTokenRequest>({
  group: UPLOAD_GROUP,
  version: V1BETA1,
  kind: 'UploadTokenRequest',
  plural: 'uploadtokenrequests',
  namespaced: true,
});

/** A token is not used in the last of its seconds: the way to the proxy takes time, and clocks differ. */
const MARGIN_SECONDS = 60;

/** The token for uploads into one claim. It is requested again before it expires. */
export class UploadTokens {
  readonly #client: KubeClient;
  readonly #claim: { readonly namespace: string; readonly name: string };
  #token: { readonly text: string; readonly renewAt: number } | undefined;

  constructor(client: KubeClient, claim: { readonly namespace: string; readonly name: string }) {
    this.#client = client;
    this.#claim = claim;
  }

  /** @throws TransferError Forbidden where this user may not upload into the claim, and others */
  async current(signal: AbortSignal): Promise<string> {
    if (this.#token === undefined || performance.now() >= this.#token.renewAt) {
      const renewAt = performance.now() + (UPLOAD_TOKEN_LIFETIME_SECONDS - MARGIN_SECONDS) * 1000;
      this.#token = { text: await this.#request(signal), renewAt };
    }
    return this.#token.text;
  }

  /** Has the next token requested, because this one was refused. */
  forget(): void {
    this.#token = undefined;
  }

  async #request(signal: AbortSignal): Promise<string> {
    const { namespace, name } = this.#claim;
    const answer = await clusterFailures('requesting a token for the upload', () =>
      this.#client.create(
        uploadTokenRequests,
        {
          apiVersion: UPLOAD_API_VERSION,
          kind: 'UploadTokenRequest',
          metadata: { namespace, generateName: 'token-for-diskpress-' },
          spec: { pvcName: name },
        },
        { signal },
      ),
    );
    if (answer.status?.token) return answer.status.token;
    throw new TransferError('RequestRejected', 'the cluster answered a request for an upload token without one');
  }
}
