import type { Progress } from '../../base/progress.ts';
import { gcsObjectUrl } from '../object-storage/gcs-location.ts';
import { isRefused, readRefusal, refusalFailure } from '../object-storage/refusal.ts';
import { ServiceAccount } from '../object-storage/service-account.ts';
import { type AskForObject, WebObject, type WebObjectOptions } from './web-object.ts';

export interface GcsSourceOptions extends WebObjectOptions {
  /** The URL of the object, or gs://bucket/object. */
  url: string;
  /** Text of a service account's credentials.json; without it the object is requested anonymously. */
  credentials?: string | undefined;
  /** Another server that gs:// refers to. */
  endpoint?: string | undefined;
}

/** An object of Google Cloud Storage. */
export class GcsSource extends WebObject {
  constructor(options: GcsSourceOptions, progress: Progress) {
    const url = gcsObjectUrl(options.url, options.endpoint);
    const { credentials } = options;
    super(url, askAs(url, credentials === undefined ? undefined : new ServiceAccount(credentials)), options, progress);
  }
}

function askAs(url: URL, account: ServiceAccount | undefined): AskForObject {
  return async (client, more, place) => {
    const ask = async (): ReturnType<AskForObject> => {
      const authorization = await account?.authorization(client);
      return client.request(url, {
        // Objects that were stored compressed are decompressed in transit for clients that do not accept them as they
        // are.
        headers: { 'accept-encoding': 'gzip', ...more },
        confidentialHeaders: authorization === undefined ? {} : { authorization },
        place,
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
