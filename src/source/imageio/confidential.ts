import { TransferError } from '../../base/errors.ts';
import { connectionFailure } from '../http/failures.ts';

/** Values that must not appear in a message: a password, the token of a session, the ticket of a transfer. */
export class Confidential {
  readonly #values = new Set<string>();

  add(value: string): void {
    if (value !== '') this.#values.add(value);
  }

  /** Returns the text with an ellipsis in place of each value. */
  mask(text: string): string {
    let masked = text;
    for (const value of this.#values) masked = masked.replaceAll(value, '…');
    return masked;
  }

  /**
   * Converts what was thrown while a URL was asked to a failure without the values.
   *
   * @param error anything
   */
  failure(error: unknown, url: URL): TransferError {
    const failure = connectionFailure(error, url);
    const message = this.mask(failure.message);
    if (message === failure.message) return failure;
    const { code, remedy, retryAfter } = failure;
    return new TransferError(code, message, { remedy, ...(retryAfter === undefined ? {} : { retryAfter }) });
  }
}
