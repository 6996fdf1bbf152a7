// An import of an archive as the user of a pod: archive-import.ts ARCHIVE DIRECTORY UID. Writes how it ended to
// standard output, as JSON.
import { TransferError } from '../../../src/base/errors.ts';
import { Progress } from '../../../src/base/progress.ts';
import { FileSource } from '../../../src/source/kinds/file-source.ts';
import { importArchive } from '../../../src/transfer/import-archive.ts';

const [archive = '', directory = '', user] = process.argv.slice(2);
// Only now, because the program itself may be where only root can read.
process.setgroups?.([]);
process.setgid?.(Number(user));
process.setuid?.(Number(user));
// As container runtimes have it: what tar does with modes must not depend on it.
process.umask(0o022);
const progress = new Progress();
const failure = await importArchive({ source: new FileSource(archive, progress), directory, progress }).then(
  () => undefined,
  (error: unknown) => error,
);
const { code, message } = failure instanceof TransferError ? failure : { code: String(failure), message: '' };
process.stdout.write(JSON.stringify(failure === undefined ? { succeeded: true } : { succeeded: false, code, message }));
