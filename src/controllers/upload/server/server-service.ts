import { type PersistentVolumeClaim, services } from '../../../kube/builtin-resources.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { makeTransferService } from '../../transfers/make-transfer-service.ts';
import { transferServiceKey } from '../../transfers/transfer-service.ts';

/** Milliseconds between two looks at the Service of a server that works. */
const LOOK_AGAIN_MILLISECONDS = 10_000;

/**
 * Makes the Services by which the upload proxy reaches upload servers, and makes one again that somebody has deleted:
 * without it, every request waits for a server that nothing is wrong with. Services are not watched, because a cluster
 * has many of others.
 */
export class ServerServices {
  readonly #context: Pick<ControllerContext, 'client' | 'now'>;
  /** Milliseconds since the epoch, by the UID of the claim. */
  readonly #lookedAt = new Map<string, number>();

  constructor(context: Pick<ControllerContext, 'client' | 'now'>) {
    this.#context = context;
  }

  /** @throws as {@link makeTransferService} does */
  async provide(claim: PersistentVolumeClaim): Promise<void> {
    await makeTransferService(this.#context.client, claim, 'upload-server');
    this.#seen(claim);
  }

  /** Makes the Service of a server that works again, if it is gone. */
  async maintain(claim: PersistentVolumeClaim): Promise<void> {
    const { client, now } = this.#context;
    const lookedAt = this.#lookedAt.get(uidOf(claim));
    if (lookedAt !== undefined && now() - lookedAt < LOOK_AGAIN_MILLISECONDS) return;
    if ((await client.get(services, transferServiceKey(claim))) === undefined) await this.provide(claim);
    else this.#seen(claim);
  }

  async remove(claim: PersistentVolumeClaim): Promise<void> {
    const { client } = this.#context;
    this.#lookedAt.delete(uidOf(claim));
    const service = await client.get(services, transferServiceKey(claim));
    if (service && isMadeFor(service, uidOf(claim))) {
      await client.delete(services, transferServiceKey(claim), { uid: service.metadata?.uid });
    }
  }

  #seen(claim: PersistentVolumeClaim): void {
    const now = this.#context.now();
    // What is due to be looked at again need not be known, and may be gone.
    for (const [uid, at] of this.#lookedAt) if (now - at >= LOOK_AGAIN_MILLISECONDS) this.#lookedAt.delete(uid);
    this.#lookedAt.set(uidOf(claim), now);
  }
}

function uidOf({ metadata }: PersistentVolumeClaim): string {
  return metadata?.uid ?? '';
}
