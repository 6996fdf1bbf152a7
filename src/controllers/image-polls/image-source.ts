import type { ImageSource } from '../../source/versions/image-source.ts';
import type { AskedRequest } from './asked-image.ts';
import type { NeededValues } from './read-needed.ts';

/** Returns the source with what its objects hold. */
export function imageSourceOf(request: AskedRequest, needed: NeededValues): ImageSource {
  const { credentials, certificates, serviceAccount, secretHeaders, dockerConfig } = needed;
  const { url } = request;
  switch (request.type) {
    case 'http': {
      const { extraHeaders: headers, insecureSkipVerify } = request;
      return { type: 'http', url, credentials, certificates, headers, secretHeaders, insecureSkipVerify };
    }
    case 's3':
      return { type: 's3', url, credentials, certificates };
    case 'gcs':
      return { type: 'gcs', url, certificates, serviceAccount };
    case 'registry': {
      const { insecureRegistry } = request;
      return { type: 'registry', url, credentials, certificates, dockerConfig, insecureRegistry };
    }
  }
}
