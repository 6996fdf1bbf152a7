import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { TransferError } from '../errors.ts';

/**
 * The certificates to trust: Node's, the system's, and those in the files of folders.
 *
 * @param directories their files hold PEM certificates, whatever their names
 * @throws TransferError InvalidRequest where a folder has files and none holds a certificate
 */
export async function trustedCertificates(directories: readonly string[]): Promise<string[]> {
  const certificates = new Set([...getCACertificates('default'), ...getCACertificates('system')]);
  for (const directory of directories) {
    for (const certificate of await certificatesIn(directory)) certificates.add(certificate);
  }
  return [...certificates];
}

async function certificatesIn(directory: string): Promise<string[]> {
  const certificates: string[] = [];
  let files = 0;
  // A mounted ConfigMap keeps its versions in folders that begin with two dots; the keys are links to files.
  for (const name of await readdir(directory)) {
    if (name.startsWith('..')) continue;
    files += 1;
    const text = await readFile(join(directory, name), 'utf8');
    for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)) {
      certificates.push(pem);
    }
  }
  if (files > 0 && certificates.length === 0) {
    throw new TransferError(
      'InvalidRequest',
      'the ConfigMap in certConfigMap, or that of the proxy, holds no PEM certificate under any key',
    );
  }
  return certificates;
}
