import type { Remedy } from '../base/errors.ts';

/** What a user of the command line has to do about a failure. */
export const advice: Readonly<Record<Remedy, string>> = {
  'trust-authority': 'give the PEM certificate of its authority with --ca, or renew the certificate',
  'allow-plain-http': 'a registry of plain http needs --insecure',
  'give-credentials': 'check the credentials, which are those in the URL or of docker login',
  'give-s3-credentials': 'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  'give-gcs-credentials': 'check the file that GOOGLE_APPLICATION_CREDENTIALS names',
  'give-ovirt-credentials': 'check OVIRT_USERNAME, and OVIRT_PASSWORD or the file that OVIRT_PASSWORD_FILE names',
  'give-vsphere-credentials':
    'check VSPHERE_USERNAME, and VSPHERE_PASSWORD or the file that VSPHERE_PASSWORD_FILE names',
};
