import { STATUS_CODES } from 'node:http';
import { TransferError } from '../../base/errors.ts';
import { faultDocument } from './documents.ts';

/** Longest text of the engine in a message, in characters. */
const LONGEST_DETAIL = 400;

/** A refusal of the engine, by the status of its answer. */
export class EngineRefusal extends TransferError {
  readonly status: number;

  constructor(status: number, ...[code, message, options]: ConstructorParameters<typeof TransferError>) {
    super(code, message, options);
    this.status = status;
  }
}

/**
 * Explains an answer of the engine that is a refusal.
 *
 * @param what what was asked for: "disk 1234"
 * @param document the body, where it is JSON
 */
export function engineFailure(status: number, document: unknown, what: string, host: string): EngineRefusal {
  const { reason, detail } = faultDocument.safeParse(document).data ?? {};
  const words = [reason, detail].filter((text) => text !== undefined && text !== '').join(': ');
  const said = words === '' ? `${status} ${STATUS_CODES[status] ?? ''}`.trim() : words.slice(0, LONGEST_DETAIL);
  const answer = `the engine ${host} answered for ${what}: ${said}`;
  if (/\b(is|are) locked\b/i.test(words)) {
    return new EngineRefusal(
      status,
      'DiskLocked',
      `${answer}; another transfer, a snapshot or a backup has it, which has to end first`,
    );
  }
  if (status === 401) return new EngineRefusal(status, 'Unauthorized', answer, { remedy: 'give-ovirt-credentials' });
  if (status === 403) {
    return new EngineRefusal(status, 'Forbidden', `${answer}; the user needs a role that may back the disk up`);
  }
  if (status === 404) {
    return new EngineRefusal(status, 'NotFound', `${answer}; check the identifier, and the URL of the engine`);
  }
  if (status === 408 || status === 429 || (status >= 500 && status !== 501)) {
    return new EngineRefusal(status, 'ServerUnavailable', answer);
  }
  return new EngineRefusal(status, 'RequestRejected', answer);
}
