import { asTransferError, TransferError } from '../../base/errors.ts';
import type { Login } from '../../base/login.ts';
import { defaultPatience, Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import { HttpClient, type HttpClientOptions } from '../http/client.ts';
import { parseHttpUrl } from '../http/location.ts';
import { type DiskQuestion, type LocatedDisk, locateDisk } from '../vsphere/locate-disk.ts';
import { serverCertificate } from '../vsphere/server-certificate.ts';
import { VsphereSession } from '../vsphere/session.ts';
import { requireLibrary, type VddkInstallation } from './library.ts';
import { VddkDisk } from './vddk-disk.ts';

/** Answers are short, and each call has a connection of its own. In bytes. */
const RECEIVE_BUFFER = 192 * 1024;

export interface VddkOptions extends HttpClientOptions, DiskQuestion {
  /** Address of the vCenter or ESXi host, with or without /sdk. */
  readonly url: string;
  readonly credentials: Login | undefined;
  /** SHA-1 of the server's certificate; undefined where its authority is trusted. */
  readonly thumbprint?: string | undefined;
  readonly installation: VddkInstallation;
  /** Identifies the import: a session that an earlier process of it was killed with is ended. */
  readonly importId?: string | undefined;
  readonly patience?: PatienceOptions;
}

/**
 * Finds a virtual disk of VMware at its vCenter or ESXi host, and opens it. The session with the server is ended
 * before anything is read; the library has one of its own.
 *
 * @throws TransferError
 */
export async function openVddkDisk(options: VddkOptions, progress: Progress): Promise<VddkDisk> {
  const { installation, backingFile, credentials, signal } = options;
  await requireLibrary(installation);
  if (credentials === undefined) {
    throw new TransferError('Unauthorized', 'a user and a password are needed to read disks of VMware', {
      remedy: 'give-vsphere-credentials',
    });
  }
  const url = sdkOf(options.url);
  progress.enter('connecting', { location: url.host });
  const patience = new Patience(options.patience ?? defaultPatience, progress, signal);
  const { thumbprint, located } = await locate(options, url, credentials, patience);
  const { machine, snapshot, snapshotNames, file, identity, changes } = located;
  const server = url.hostname.replaceAll(/[[\]]/g, '');
  return VddkDisk.open({
    address: { server, ...credentials, thumbprint, machine, snapshot, file },
    installation,
    location: `${backingFile} of ${url.host}`,
    identity: `${url.host} ${identity}`,
    snapshotNames,
    changes,
    patience,
    progress,
    signal,
  });
}

async function locate(
  options: VddkOptions,
  url: URL,
  credentials: Login,
  patience: Patience,
): Promise<{ thumbprint: string | undefined; located: LocatedDisk }> {
  const { thumbprint, certificatesDirectories = [] } = options;
  const certificate =
    url.protocol === 'https:'
      ? await patience.persist(() => serverCertificate({ url, thumbprint, certificatesDirectories }), asTransferError)
      : undefined;
  const client = new HttpClient({ ...options, pinnedCertificate: certificate?.pem, receiveBuffer: RECEIVE_BUFFER });
  const agent = options.importId && `diskpress/${options.importId}`;
  const session = new VsphereSession({ url, ...credentials, client, patience, agent });
  try {
    return { thumbprint: certificate?.thumbprint ?? thumbprint, located: await locateDisk(session, options) };
  } finally {
    await session.logOut();
    await client.close();
  }
}

function sdkOf(given: string): URL {
  const url = parseHttpUrl(given);
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/sdk';
  url.search = '';
  url.hash = '';
  return url;
}
