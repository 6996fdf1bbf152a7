import type { Remedy } from '../base/errors.ts';

/** What the author of a DataVolume has to do about a failure. */
export const advice: Readonly<Record<Remedy, string>> = {
  'trust-authority':
    'put the PEM certificate of its authority into a ConfigMap and name that in certConfigMap, or renew the certificate',
  'allow-plain-http': 'a registry of plain http has to be listed in insecureRegistries of the CDI object',
  'give-credentials': 'check the credentials, accessKeyId and secretKey of the Secret in secretRef',
  'give-s3-credentials': 'check accessKeyId and secretKey of the Secret in secretRef',
  'give-gcs-credentials': 'check credentials.json of the Secret in secretRef',
  'give-ovirt-credentials':
    'check the Secret in secretRef: accessKeyId is the user, like admin@internal, and secretKey the password',
  'give-vsphere-credentials': 'check the Secret in secretRef: accessKeyId is the user, and secretKey the password',
};
