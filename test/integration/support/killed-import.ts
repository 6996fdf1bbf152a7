import { kill, pid } from 'node:process';
import { parseChecksum } from '../../../src/base/checksum.ts';
import type { Extent } from '../../../src/base/extents.ts';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import type { UnfinishedTarget } from '../../../src/sink/resumable-sink.ts';
import { HttpSource } from '../../../src/source/kinds/http-source.ts';
import { parseCheckpoint } from '../../../src/transfer/checkpoint/checkpoint.ts';
import { FileCheckpointStore } from '../../../src/transfer/checkpoint/file-store.ts';
import { importImage } from '../../../src/transfer/import/import-image.ts';

// Imports a URL with checkpoints as often as can be, and kills itself once they have come some way.
// Arguments: the URL, the target, after how many bytes of the source it is killed, perhaps a checksum.
const [url = '', path = '', lifetime, checksum] = process.argv.slice(2);
const steps: string[] = [];
const progress = new Progress((step) => steps.push(step));
let doomed = false;
/** Of the latest checkpoint. An import that begins anew goes back. */
let last: number | undefined;
/** Bytes, from checkpoint to checkpoint. */
let advanced = 0;

/** Checkpoints are made behind the writer; it is not to get so far ahead of them that the import ends meanwhile. */
const LEAD = 2 * 1024 * 1024;
let written = 0;
let saving = Promise.withResolvers<void>();
saving.resolve();

class WatchedStore extends FileCheckpointStore {
  override async save(text: string): Promise<void> {
    await super.save(text);
    const position = parseCheckpoint(text)?.position ?? 0;
    advanced += Math.max(0, position - (last ?? position));
    last = position;
    doomed = advanced >= Number(lifetime);
    saving.resolve();
  }
}

class DeadlySink extends FileSink {
  override async write(extent: Extent): Promise<void> {
    await super.write(extent);
    written += extent.data.length;
    if (written > LEAD) await saving.promise;
    if (doomed) kill(pid, 'SIGKILL');
  }

  override async checkpoint(): Promise<UnfinishedTarget> {
    written = 0;
    saving = Promise.withResolvers<void>();
    return super.checkpoint();
  }
}

await importImage({
  source: new HttpSource({ url, connections: 1 }, progress),
  sink: new DeadlySink({ path, preallocation: false }, progress),
  progress,
  checksum: checksum === undefined ? undefined : parseChecksum(checksum),
  checkpoints: { store: new WatchedStore(`${path}.checkpoint`), interval: 0 },
});
console.log(JSON.stringify({ steps, ...progress.snapshot() }));
