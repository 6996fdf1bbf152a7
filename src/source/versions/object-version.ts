import { TransferError } from '../../base/errors.ts';
import type { AskForObject } from '../http/ask-for-object.ts';
import type { HttpClient, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { describeUrl } from '../http/location.ts';
import type { FoundVersion } from './found-version.ts';
import { conditionOf, digestOf, validatorsOf } from './validators.ts';

/** Failures of a HEAD request that a GET request may not have: for it, a server may have no rule, or no signature. */
const ofTheMethod = new Set(['RequestRejected', 'NotFound', 'Forbidden', 'Unauthorized']);

/**
 * Finds out which version of an object a server has, by a HEAD request, or where that is refused, by one for its first
 * byte. No more than that byte is read.
 *
 * @throws TransferError, RequestRejected where the server does not tell versions apart
 */
export async function objectVersion(
  ask: AskForObject,
  client: HttpClient,
  known: FoundVersion | undefined,
  signal: AbortSignal,
): Promise<FoundVersion> {
  const condition = conditionOf(known);
  const response =
    (await head(() => ask(client, { method: 'HEAD', headers: { ...condition }, signal }))) ??
    (await ask(client, { headers: { range: 'bytes=0-0', ...condition }, signal }));
  const { status, headers, url } = response;
  await response.body.dump({ limit: 1 });
  if (status === 304 && known !== undefined) return known;
  if (status !== 200 && status !== 206) throw statusFailure(status, headers, url);
  const validators = validatorsOf(response);
  if (validators !== undefined) return { digest: digestOf(validators), validators: { ...validators } };
  throw new TransferError(
    'RequestRejected',
    `${describeUrl(url)} has neither an ETag nor a Last-Modified date, by which a new version could be told from the one that is known: ` +
      'have its server send one of them, or import it without a schedule',
  );
}

/** @returns undefined where another method may be answered better */
async function head(ask: () => Promise<HttpResponse>): Promise<HttpResponse | undefined> {
  try {
    const response = await ask();
    if (response.status < 400 || !ofTheMethod.has(statusFailure(response.status, {}, response.url).code)) {
      return response;
    }
    await response.body.dump();
  } catch (error) {
    if (!(error instanceof TransferError) || !ofTheMethod.has(error.code)) throw error;
  }
  return undefined;
}
