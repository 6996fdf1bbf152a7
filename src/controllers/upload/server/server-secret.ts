import { createHash, X509Certificate } from 'node:crypto';
import { ownerReference } from '../../../kube/apply.ts';
import { type ConfigMap, type PersistentVolumeClaim, type Secret, secrets } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import type { Informer } from '../../../kube/informer.ts';
import { keyOf } from '../../../kube/key.ts';
import { secretText } from '../../../kube/secret-text.ts';
import { BUNDLE_KEY } from '../../../protocol/installation.ts';
import { transferSecretName } from '../../../protocol/object-names.ts';
import type { CertifiedKey } from '../../../server/certificates.ts';
import { deleteOwn } from '../../objects/delete-own.ts';
import { marksFor } from '../../objects/made-for.ts';
import { replaceOwn } from '../../objects/replace-own.ts';
import type { ConfigView } from '../../runtime/config-view.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { type Lifetime, renewalOf } from '../../runtime/lifetimes.ts';
import { serverNameOf, transferServiceKey } from '../../transfers/transfer-service.ts';

/** A kubelet may need two minutes until a pod sees what has become of its Secret. */
const UNTIL_MOUNTED_MILLISECONDS = 5 * 60_000;
const LOOK_AGAIN_MILLISECONDS = 5_000;

/** The authority of upload servers, and the certificates by which they know their clients. */
interface Trust {
  readonly authority: CertifiedKey;
  /** Certificates of the clients' authorities in PEM. */
  readonly clients: string;
  /** Identifies both. */
  readonly digest: string;
}

/** What is known of a Secret that was made. */
interface Issued {
  readonly trust: string;
  /** Milliseconds since the epoch, as the other. */
  readonly made: number;
  readonly expires: number;
}

type Context = Pick<ControllerContext, 'client' | 'now'> & {
  readonly config: Pick<ConfigView, 'certificateLifetimes'>;
};

/** The objects that {@link ServerSecrets} reads, in the namespace of the installation. */
export interface TrustCaches {
  /** Contains the Secret of the authority of upload servers, and nothing else. */
  readonly authority: Pick<Informer<Secret>, 'list'>;
  /** Contains the ConfigMap with the certificates of the clients' authorities, and nothing else. */
  readonly clients: Pick<Informer<ConfigMap>, 'list'>;
}

/**
 * Makes the Secrets with the keys of upload servers. A server loads new keys from its mount while it works, so a Secret
 * is replaced as long before its certificate expires as those of the installation's servers are, and whenever one of
 * the authorities has changed. What was made is remembered, because Secrets in users' namespaces are never read; after
 * a start of the controllers, each is replaced once.
 */
export class ServerSecrets {
  readonly #context: Context;
  readonly #caches: TrustCaches;
  /** By the UID of the claim. */
  readonly #issued = new Map<string, Issued>();

  constructor(context: Context, caches: TrustCaches) {
    this.#context = context;
    this.#caches = caches;
  }

  /**
   * Makes the Secret for a pod that is about to be created, also in place of an earlier pod's: nobody can tell whether
   * that is still there.
   *
   * @throws WaitingError CertificatesNotReady while there is no authority; as {@link replaceOwn} does
   */
  async provide(claim: PersistentVolumeClaim): Promise<void> {
    const trust = this.#trust();
    if (!trust) {
      throw new WaitingError(
        'CertificatesNotReady',
        'The certificates of this installation, which an upload server needs, are not made yet; if this lasts, see the log of cdi-deployment',
        { after: LOOK_AGAIN_MILLISECONDS },
      );
    }
    await this.#issue(claim, trust);
  }

  /** Replaces the Secret of a claim's upload server if it is about to be outdated. */
  async renew(claim: PersistentVolumeClaim): Promise<void> {
    const trust = this.#trust();
    if (trust && this.#isDue(claim, trust)) await this.#issue(claim, trust);
  }

  async remove(claim: PersistentVolumeClaim): Promise<void> {
    const { uid = '' } = claim.metadata ?? {};
    await deleteOwn(this.#context.client, secrets, { ...keyOf(claim), name: transferSecretName(uid) });
    this.#issued.delete(uid);
  }

  #isDue(claim: PersistentVolumeClaim, { digest }: Trust): boolean {
    const issued = this.#issued.get(claim.metadata?.uid ?? '');
    const { now, config } = this.#context;
    if (issued?.trust !== digest) return true;
    return renewalOf(issued.made, issued.expires, lifetimeInPods(config.certificateLifetimes.server)) <= now();
  }

  async #issue(claim: PersistentVolumeClaim, { authority, clients, digest }: Trust): Promise<void> {
    const now = this.#context.now();
    // The X.509 library takes megabytes, which most controllers never need.
    const { issueCertificate } = await import('../../../server/certificates.ts');
    const server = await issueCertificate(
      authority,
      { commonName: 'Diskpress upload server', usage: 'server', names: [serverNameOf(transferServiceKey(claim))] },
      { now, lifetime: lifetimeInPods(this.#context.config.certificateLifetimes.server).duration },
    );
    await replaceOwn(this.#context.client, secrets, secretFor(claim, server, clients));
    this.#forgetOutdated(now);
    const expires = Date.parse(new X509Certificate(server.certificate).validTo);
    this.#issued.set(claim.metadata?.uid ?? '', { trust: digest, made: now, expires });
  }

  /** Forgets the Secrets of claims that are gone: all others have been renewed. */
  #forgetOutdated(now: number): void {
    for (const [uid, { expires }] of this.#issued) if (expires < now) this.#issued.delete(uid);
  }

  #trust(): Trust | undefined {
    const [secret] = this.#caches.authority.list();
    const [bundle] = this.#caches.clients.list();
    const [certificate, key] = [secretText(secret, 'tls.crt'), secretText(secret, 'tls.key')];
    const clients = bundle?.data?.[BUNDLE_KEY];
    if (!certificate || !key || !clients) return undefined;
    const digest = createHash('sha256').update(`${certificate}\0${clients}`).digest('hex');
    return { authority: { certificate, key }, clients, digest };
  }
}

/** Returns the lifetime that servers' certificates have where a kubelet has to bring them to a pod. */
function lifetimeInPods({ duration, renewBefore }: Lifetime): Lifetime {
  return {
    duration: Math.max(duration, 2 * UNTIL_MOUNTED_MILLISECONDS),
    renewBefore: Math.max(renewBefore, UNTIL_MOUNTED_MILLISECONDS),
  };
}

function secretFor(claim: PersistentVolumeClaim, server: CertifiedKey, clients: string): Secret {
  const { namespace, uid = '' } = claim.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      namespace,
      name: transferSecretName(uid),
      ...marksFor(claim),
      ownerReferences: [ownerReference(claim)],
    },
    stringData: { 'tls.crt': server.certificate, 'tls.key': server.key, 'ca.crt': clients },
  };
}
