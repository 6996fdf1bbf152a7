import type { DiskSource } from '../../base/disk-source.ts';
import type { Login } from '../../base/login.ts';
import { defaultPatience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import { HttpClient, type HttpClientOptions } from '../http/client.ts';
import { Confidential } from './confidential.ts';
import { Engine } from './engine.ts';
import { requireLogin } from './engine-session.ts';
import { ImageioDisk } from './imageio-disk.ts';
import type { OpenTransfers } from './open-transfers.ts';
import { TransferSession } from './transfer-session.ts';
import type { Stage } from './transferred-image.ts';

/** Small, because there is one for each reader, and what has arrived is copied at once. In bytes. */
const RECEIVE_BUFFER = 384 * 1024;

export interface ImageioOptions extends HttpClientOptions {
  /** URL of the engine's API, `https://engine/ovirt-engine/api`. */
  url: string;
  /** Identifier of the disk. */
  disk: string;
  login: Login | undefined;
  /** The stage of a multi-stage import; undefined where the whole disk is imported at once. */
  stage: Stage | undefined;
  openTransfers: OpenTransfers;
  patience?: PatienceOptions;
  /** After how many milliseconds without a read the transfer is extended. */
  extendAfter?: number;
}

/**
 * Opens a disk of oVirt: logs in to the engine and begins a transfer. Whatever fails, nothing is left open there.
 *
 * @throws TransferError
 */
export async function openImageio(options: ImageioOptions, progress: Progress): Promise<DiskSource> {
  const {
    url,
    disk,
    stage,
    openTransfers,
    patience = defaultPatience,
    extendAfter,
    signal: stopping,
    ...trust
  } = options;
  const login = requireLogin(options.login);
  const confidential = new Confidential();
  const engine = new Engine({ ...trust, url, login, confidential });
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(stopping === undefined ? [] : [stopping])]);
  const http = new HttpClient({ ...trust, signal, receiveBuffer: RECEIVE_BUFFER });
  try {
    const context = { engine, openTransfers, progress, signal, http, confidential, disk, stage, patience };
    const session = await TransferSession.begin(context);
    const snapshot = stage?.current;
    const shared = { engine, http, session, progress, patience, closing, signal };
    return new ImageioDisk({ ...shared, disk, snapshot, extendAfter });
  } catch (error) {
    await http.close();
    await engine.leave().catch(() => {});
    throw error;
  }
}
