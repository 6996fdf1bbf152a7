import { gcsObjectUrl } from '../object-storage/gcs-location.ts';
import { isRefused, readRefusal, refusalFailure } from '../object-storage/refusal.ts';
import { ServiceAccount } from '../object-storage/service-account.ts';
import type { Progress } from '../../base/progress.ts';
import { WebObject, type AskForObject, type WebObjectOptions } from './web-object.ts';

export interface GcsSourceOptions extends WebObjectOptions {
  /** gs://bucket/object, or a URL of the object */
  url: string;
  /** Text of a service account's credentials.json; without it the object is asked for as anybody may. */
  credentials?: string | undefined;
  /** Of another server that gs:// stands for. */
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
        // Objects that were stored compressed are decompressed on their way for those who do not take them as they are.
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
