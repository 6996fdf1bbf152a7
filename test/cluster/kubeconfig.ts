import { stringify } from 'yaml';
import type { KeyPair } from './pki.ts';

/** The text of a kubeconfig file for one user of one API server, certificates included. */
export function kubeconfigOf(name: string, server: string, authority: string, user: KeyPair): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
