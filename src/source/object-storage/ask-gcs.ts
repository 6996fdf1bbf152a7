import type { AskForObject } from '../http/ask-for-object.ts';
import { isRefused, readRefusal, refusalFailure } from './refusal.ts';
import { ServiceAccount } from './service-account.ts';

/**
 * Returns how an object of Google Cloud Storage is requested.
 *
 * @param credentials text of a service account's credentials.json; without it the object is requested anonymously
 * @throws TransferError InvalidRequest where they are no such key
 */
export function askGcs(url: URL, credentials: string | undefined): AskForObject {
  const account = credentials === undefined ? undefined : new ServiceAccount(credentials);
  return async (client, { headers, ...asked }) => {
    const ask = async (): ReturnType<AskForObject> => {
      const authorization = await account?.authorization(client);
      return client.request(url, {
        ...asked,
        // Objects that were stored compressed are decompressed in transit for clients that do not accept them as they
        // are.
        headers: { 'accept-encoding': 'gzip', ...headers },
        confidentialHeaders: authorization === undefined ? {} : { authorization },
      });
    };
    let response = await ask();
    if (response.status === 401 && account !== undefined) {
      await response.body.dump();
      account.forgetToken();
      response = await ask();
    }
    if (!isRefused(response)) return response;
    throw refusalFailure(await readRefusal(response), {
      anonymous: account === undefined,
      remedy: 'give-gcs-credentials',
    });
  };
}
