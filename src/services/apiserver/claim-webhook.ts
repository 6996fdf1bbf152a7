import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { quantity } from '../../api/quantity.ts';
import { pathSegment } from '../../api/references.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { ClaimRendering } from './claim-rendering.ts';
import { StatusError } from './status-error.ts';

/** The path of deploy/base/apiserver.yaml. */
export const CLAIM_WEBHOOK_PATH = '/mutate-claims';

const text = z.string();
const texts = z.record(z.string(), text);

/** The part of a claim that is used. What else there is stays as it is. */
const claim = z.looseObject({
  metadata: z.looseObject({ labels: texts.optional(), annotations: texts.optional() }).optional(),
  spec: z
    .looseObject({
      volumeName: text.optional(),
      storageClassName: text.optional(),
      volumeMode: text.optional(),
      accessModes: z.array(text).optional(),
      resources: z.looseObject({ requests: z.record(z.string(), quantity).optional() }).optional(),
      dataSourceRef: z.looseObject({ apiGroup: text.optional(), kind: text, name: pathSegment }).optional(),
    })
    .optional(),
});

/** The part of an AdmissionReview (admission.k8s.io/v1) that is used. */
const admissionReview = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: text,
    operation: text,
    namespace: pathSegment,
    userInfo: z.object({ username: text.optional() }),
    object: claim.nullish(),
  }),
});

/** Answers the API server's question what becomes of a claim that is created. */
export class ClaimWebhook {
  readonly #rendering: ClaimRendering;
  readonly #controllers: string;

  /** @param controllers user name of the controllers, whose claims are complete */
  constructor(rendering: ClaimRendering, controllers: string) {
    this.#rendering = rendering;
    this.#controllers = controllers;
  }

  /**
   * @param body an AdmissionReview
   * @returns the AdmissionReview with the answer
   * @throws StatusError BadRequest where it is none
   */
  async review(body: unknown): Promise<object> {
    const parsed = admissionReview.safeParse(body);
    if (!parsed.success) throw new StatusError('BadRequest', 'the body is no AdmissionReview of admission.k8s.io/v1');
    const { apiVersion, kind, request } = parsed.data;
    return { apiVersion, kind, response: { uid: request.uid, ...(await this.#responseTo(request)) } };
  }

  async #responseTo(request: z.infer<typeof admissionReview>['request']): Promise<object> {
    const { operation, object, namespace, userInfo } = request;
    if (operation !== 'CREATE' || !object || userInfo.username === this.#controllers) return { allowed: true };
    try {
      const spec = await this.#rendering.specOf(object as PersistentVolumeClaim, namespace);
      if (!spec || isDeepStrictEqual(spec, object.spec)) return { allowed: true };
      const patch = JSON.stringify([{ op: 'replace', path: '/spec', value: spec }]);
      return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(patch).toString('base64') };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const { status: code, reason, message } = error;
      return { allowed: false, status: { code, reason, message } };
    }
  }
}
