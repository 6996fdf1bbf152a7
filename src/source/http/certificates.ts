import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { systemCode, TransferError } from '../../base/errors.ts';

/**
 * Returns the trusted certificates: Node's, the system's, and those in files.
 *
 * @param places files with PEM certificates, or folders of them, whatever their names
 * @param texts more of them, each with the PEM of any number
 * @throws TransferError InvalidRequest where one cannot be read, or has files without any certificate
 */
export async function trustedCertificates(places: readonly string[], texts: readonly string[] = []): Promise<string[]> {
  const certificates = new Set([...getCACertificates('default'), ...getCACertificates('system')]);
  for (const place of places) {
    for (const certificate of await certificatesIn(place)) certificates.add(certificate);
  }
  for (const certificate of texts.flatMap(certificatesOf)) certificates.add(certificate);
  return [...certificates];
}

/** Returns the certificates in a text. */
function certificatesOf(text: string): string[] {
  return Array.from(text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g), ([pem]) => pem);
}

async function certificatesIn(place: string): Promise<string[]> {
  const texts = await readTexts(place);
  const certificates = texts.flatMap(certificatesOf);
  if (texts.length > 0 && certificates.length === 0) {
    throw new TransferError(
      'InvalidRequest',
      `there is no PEM certificate in ${place}, which is where those to be trusted are looked for`,
    );
  }
  return certificates;
}

async function readTexts(place: string): Promise<string[]> {
  try {
    if ((await stat(place)).isFile()) return [await readFile(place, 'utf8')];
    // A mounted ConfigMap keeps its versions in folders that begin with two dots; the keys are links to files.
    const names = (await readdir(place)).filter((name) => !name.startsWith('..'));
    return await Promise.all(names.map((name) => readFile(join(place, name), 'utf8')));
  } catch (error) {
    throw new TransferError(
      'InvalidRequest',
      `the certificates in ${place} cannot be read (${systemCode(error) ?? 'failed'}): check its path and permissions`,
      { cause: error },
    );
  }
}
