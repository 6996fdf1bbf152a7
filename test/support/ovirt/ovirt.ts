import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Authority } from '../../cluster/pki.ts';
import { SimulatedEngine } from './engine.ts';
import { ImageDaemon } from './image-daemon.ts';
import { Transfers } from './transfers.ts';

/** A simulated oVirt engine over a real ovirt-imageio daemon. */
export interface Ovirt {
  readonly engine: SimulatedEngine;
  readonly daemon: ImageDaemon;
  readonly transfers: Transfers;
  /** PEM of the authority of both. */
  readonly authority: string;
  /** Stops the engine, and starts it again without sessions, with the transfers that it had. */
  restartEngine(whileStopped?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** @param state an existing folder for its own files */
export async function startOvirt(options: { address: string; state: string }): Promise<Ovirt> {
  const { address } = options;
  const state = await mkdtemp(join(options.state, 'ovirt-'));
  const authority = await Authority.create('oVirt of the tests');
  const { certificate, key } = await authority.issue({ commonName: address, names: [address] });
  const tls = { authority: join(state, 'ca.crt'), certificate: join(state, 'tls.crt'), key: join(state, 'tls.key') };
  await writeFile(tls.authority, authority.certificate);
  await writeFile(tls.certificate, certificate);
  await writeFile(tls.key, key, { mode: 0o600 });
  const daemon = await ImageDaemon.start(address, state, tls);
  const transfers = new Transfers(daemon, state);
  const engine = new SimulatedEngine(address, daemon, transfers);
  await engine.listen(tls);
  return {
    engine,
    daemon,
    transfers,
    authority: authority.certificate,
    restartEngine: async (whileStopped = async () => {}) => {
      await engine.stop();
      engine.sessions.clear();
      await whileStopped();
      await engine.listen(tls);
    },
    stop: async () => {
      await engine.stop();
      await transfers.stop();
      await daemon.stop();
    },
  };
}
