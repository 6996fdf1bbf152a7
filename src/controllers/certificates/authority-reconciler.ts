import type { CDIConfig } from '../../api/cdi-config.ts';
import type { ConfigMap, Secret } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import type { ObjectKey } from '../../kube/key.ts';
import { secretText } from '../../kube/secret-text.ts';
import { BUNDLE_KEY, bundleName, type Signer, signers } from '../../protocol/installation.ts';
import type { CertifiedKey, Validity } from '../../server/certificates.ts';
import { announcedAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Lifetimes } from '../runtime/lifetimes.ts';
import { type Certificate, readBundle, readCertified, writeBundle } from './certified.ts';
import { type AuthorityState, decideAuthority } from './decide-authority.ts';
import { issueTime } from './decide-certificate.ts';
import { dataOf, type InstalledObject, timeIn } from './installed-object.ts';
import { type Issued, issuedBy, subjectOf } from './issued.ts';
import { lookAgain } from './succession.ts';
import type { TrustingObjects } from './trusting-objects.ts';

const CERTIFICATE = 'tls.crt';
const KEY = 'tls.key';
const NEXT_CERTIFICATE = 'next.crt';
const NEXT_KEY = 'next.key';

export interface AuthorityObjects {
  secret(name: string): InstalledObject<Secret>;
  configMap(name: string): InstalledObject<ConfigMap>;
  /** The objects that have the bundle of the authority of the API server in them. */
  readonly trusting: TrustingObjects;
}

/**
 * Makes and replaces one authority, its bundle, and the certificates that it has signed. A key is a signer's name. The
 * X.509 library is loaded only to sign: it takes megabytes.
 */
export class AuthorityReconciler implements Reconciler {
  readonly name = 'certificates';
  readonly #context: Pick<ControllerContext, 'config' | 'now'> & { readonly cdiConfig: () => CDIConfig | undefined };
  readonly #objects: AuthorityObjects;
  readonly #lifetimes: () => Lifetimes;

  constructor(
    context: Pick<ControllerContext, 'config' | 'now'> & { readonly cdiConfig: () => CDIConfig | undefined },
    objects: AuthorityObjects,
    lifetimes: () => Lifetimes,
  ) {
    this.#context = context;
    this.#objects = objects;
    this.#lifetimes = lifetimes;
  }

  async reconcile({ name }: ObjectKey): Promise<Result> {
    const signer = name as Signer;
    const { authority, bundle, until } = await this.#settle(signer);
    const times = [until];
    for (const issued of issuedBy(signer)) times.push(await this.#issue(issued, authority, bundle));
    return lookAgain(Math.min(...times), this.#context.now());
  }

  /** Writes until nothing is left to do now. */
  async #settle(signer: Signer): Promise<{ authority: CertifiedKey; bundle: readonly Certificate[]; until: number }> {
    const secret = this.#objects.secret(signers[signer]);
    const configMap = this.#objects.configMap(bundleName(signer));
    let keys = await secret.read();
    let published = await configMap.read();
    for (;;) {
      const now = this.#context.now();
      const state = stateOf(keys, published);
      const step = decideAuthority(state, this.#lifetimes().ca, now);
      if (step.step === 'announce') {
        const data = { [BUNDLE_KEY]: writeBundle(step.bundle) };
        published = await configMap.write(
          published,
          { data },
          {
            [announcedAnnotation]: rfc3339(now),
          },
        );
        continue;
      }
      // Who has the bundle in an object of his own has to know it before anything is signed by its newest authority.
      if (signer === 'apiserver' && state.bundle.length > 0)
        await this.#objects.trusting.trust(writeBundle(state.bundle));
      if (step.step === 'prepare') {
        const next = await this.#createAuthority(signer, { now, lifetime: this.#lifetimes().ca.duration });
        keys = await secret.write(keys, keysOf(state.current, next), {});
      } else if (step.step === 'promote') {
        keys = await secret.write(keys, keysOf(step.next, undefined), {});
      } else {
        if (!state.current) throw new Error(`the authority ${signers[signer]} has no key to sign with`);
        return { authority: state.current, bundle: state.bundle, until: step.until };
      }
    }
  }

  /** @returns when the certificate is to be issued again, in milliseconds since the epoch */
  async #issue(issued: Issued, authority: CertifiedKey, bundle: readonly Certificate[]): Promise<number> {
    const secret = this.#objects.secret(issued.secret);
    const found = await secret.read();
    const now = this.#context.now();
    const lifetime = this.#lifetimes()[issued.usage];
    const subject = subjectOf(issued, this.#context.config.namespace, this.#context.cdiConfig());
    const recorded = readCertified(secretText(found, CERTIFICATE), secretText(found, KEY));
    const time = issueTime(recorded, subject, bundle, lifetime, now);
    if (time > now) return time;
    const { issueCertificate } = await import('../../server/certificates.ts');
    const made = await issueCertificate(authority, subject, { now, lifetime: lifetime.duration });
    const data = dataOf({ [CERTIFICATE]: made.certificate, [KEY]: made.key });
    await secret.write(found, { type: 'kubernetes.io/tls', data }, {});
    return issueTime(readCertified(made.certificate, made.key), subject, bundle, lifetime, now);
  }

  /** Authorities that follow each other have different names, by which they are told apart where keys are not. */
  async #createAuthority(signer: Signer, validity: Required<Validity>): Promise<CertifiedKey> {
    const { createAuthority } = await import('../../server/certificates.ts');
    return createAuthority(`${signers[signer]}@${Math.floor(validity.now / 1000)}`, validity);
  }
}

function stateOf(keys: Secret | undefined, published: ConfigMap | undefined): AuthorityState {
  return {
    current: readCertified(secretText(keys, CERTIFICATE), secretText(keys, KEY)),
    next: readCertified(secretText(keys, NEXT_CERTIFICATE), secretText(keys, NEXT_KEY)),
    bundle: readBundle(published?.data?.[BUNDLE_KEY]),
    announced: timeIn(published, announcedAnnotation),
  };
}

function keysOf(current: CertifiedKey | undefined, next: CertifiedKey | undefined): Partial<Secret> {
  return {
    type: 'Opaque',
    data: dataOf({
      ...(current ? { [CERTIFICATE]: current.certificate, [KEY]: current.key } : {}),
      ...(next ? { [NEXT_CERTIFICATE]: next.certificate, [NEXT_KEY]: next.key } : {}),
    }),
  };
}

function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
