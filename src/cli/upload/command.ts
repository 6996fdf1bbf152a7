import { type Command, InvalidArgumentError, Option } from 'commander';
import { accessModes } from '../../api/persistent-volume-claim-spec.ts';
import { isQuantity, parseQuantity } from '../../api/quantity.ts';
import { interruptible } from '../interruption.ts';
import { parseSha256 } from '../options.ts';
import { report } from '../output.ts';
import type { UploadOptions } from './upload.ts';

/** Adds `upload`, which brings a disk image from this machine into a claim of a cluster. */
export function registerUpload(program: Command): void {
  program
    .command('upload')
    .description('upload a disk image into a claim of a cluster')
    .argument('<file>', 'a file or a block device, or - for standard input')
    .argument('[target]', 'dv/NAME or pvc/NAME; by default a DataVolume that is named as the file is')
    .option('-n, --namespace <name>', 'in this namespace; by default in that of the current context')
    .option('--size <quantity>', 'size of a new disk; by default what the image says', parseSize)
    .option('--storage-class <name>', "StorageClass of a new claim; by default the cluster's")
    .addOption(new Option('--access-mode <mode>', 'access mode of a new claim').choices(accessModes))
    .addOption(new Option('--volume-mode <mode>', 'volume mode of a new claim').choices(['Filesystem', 'Block']))
    .option('--archive', 'the file is a tar archive, whose files become those of the volume')
    .option('--force-bind', 'bind the claim at once, even if its class waits for the first consumer')
    .option('--no-create', 'upload only into what exists')
    .option('--sha256 <hex>', 'what the file must have as SHA-256', parseSha256)
    .option('--wait <seconds>', 'how long to wait until the claim is ready for the upload', parseSeconds, 300)
    .option('--uploadproxy-url <url>', 'the upload proxy; by default what the CDIConfig of the cluster says')
    .option('--ca <path>', "file of PEM certificates to trust besides the system's and the cluster's, or a folder")
    .option('--insecure', 'accept any certificate of the upload proxy')
    .option('--json', 'tell the progress and the result as JSON lines')
    .action(async (file: string, target: string | undefined, options: UploadOptions) => {
      // The client of a cluster is half of the executable, and other commands do not need it.
      const { upload } = await import('./upload.ts');
      await report(() => interruptible((signal) => upload(file, target, options, signal)), options);
    });
}

function parseSize(text: string): string {
  if (isQuantity(text) && parseQuantity(text) > 0) return text;
  throw new InvalidArgumentError('It should be a quantity like 10Gi.');
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('It should be a number of seconds.');
}
