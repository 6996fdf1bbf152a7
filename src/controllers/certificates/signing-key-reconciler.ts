import type { Secret } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { secretText } from '../../kube/secret-text.ts';
import { TOKEN_SIGNING_KEY, TOKEN_VERIFICATION_KEY } from '../../protocol/installation.ts';
import { createSigningKey, type VerificationKey, verificationKeyOf } from '../../server/signing-key.ts';
import { announcedAnnotation, signingKeyMadeAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Lifetimes } from '../runtime/lifetimes.ts';
import { decideSigningKey, type SigningKey } from './decide-signing-key.ts';
import { dataOf, type InstalledObject, timeIn } from './installed-object.ts';
import { lookAgain } from './succession.ts';

const NEXT_KEY = 'next.pem';

/** Makes and replaces the key of upload tokens, and the public keys by which they are accepted. */
export class SigningKeyReconciler implements Reconciler {
  readonly name = 'signing-key';
  readonly #context: Pick<ControllerContext, 'now'>;
  readonly #privateKeys: InstalledObject<Secret>;
  readonly #publicKeys: InstalledObject<Secret>;
  readonly #lifetimes: () => Lifetimes;

  constructor(
    context: Pick<ControllerContext, 'now'>,
    objects: { readonly privateKeys: InstalledObject<Secret>; readonly publicKeys: InstalledObject<Secret> },
    lifetimes: () => Lifetimes,
  ) {
    this.#context = context;
    this.#privateKeys = objects.privateKeys;
    this.#publicKeys = objects.publicKeys;
    this.#lifetimes = lifetimes;
  }

  async reconcile(): Promise<Result> {
    let keys = await this.#privateKeys.read();
    let published = await this.#publicKeys.read();
    for (;;) {
      const now = this.#context.now();
      const time = new Date(now).toISOString();
      const current = await readKey(keys, TOKEN_SIGNING_KEY);
      const state = {
        current,
        next: await readKey(keys, NEXT_KEY),
        made: timeIn(keys, signingKeyMadeAnnotation),
        accepted: readKeySet(published),
        announced: timeIn(published, announcedAnnotation),
      };
      const step = decideSigningKey(state, this.#lifetimes().server, now);
      if (step.step === 'wait') return lookAgain(step.until, now);
      if (step.step === 'prepare') {
        const data = keysOf(current?.privateKey, createSigningKey());
        keys = await this.#privateKeys.write(keys, data, { [signingKeyMadeAnnotation]: time });
      } else if (step.step === 'promote') {
        keys = await this.#privateKeys.write(keys, keysOf(step.next.privateKey, undefined), {});
      } else {
        const data = dataOf({ [TOKEN_VERIFICATION_KEY]: JSON.stringify({ keys: step.accepted }) });
        published = await this.#publicKeys.write(published, { type: 'Opaque', data }, { [announcedAnnotation]: time });
      }
    }
  }
}

async function readKey(secret: Secret | undefined, key: string): Promise<SigningKey | undefined> {
  const privateKey = secretText(secret, key);
  if (privateKey === undefined) return undefined;
  try {
    return { privateKey, publicKey: await verificationKeyOf(privateKey) };
  } catch {
    return undefined;
  }
}

function readKeySet(secret: Secret | undefined): VerificationKey[] {
  try {
    const { keys } = JSON.parse(secretText(secret, TOKEN_VERIFICATION_KEY) ?? '{}') as { keys?: VerificationKey[] };
    return (keys ?? []).filter(({ kid, kty }) => typeof kid === 'string' && kty === 'EC');
  } catch {
    return [];
  }
}

function keysOf(current: string | undefined, next: string | undefined): Partial<Secret> {
  return {
    type: 'Opaque',
    data: dataOf({ ...(current ? { [TOKEN_SIGNING_KEY]: current } : {}), ...(next ? { [NEXT_KEY]: next } : {}) }),
  };
}
