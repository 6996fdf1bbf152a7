import { TransferError } from '../../base/errors.ts';
import { saysNoSpace } from '../../base/no-space.ts';
import { inherited, type ProgramResult, runProgram } from '../../base/programs.ts';
import { type DiskFormat, driverOf } from '../formats/drivers.ts';

/** Limits what qemu-img may allocate, because an image is hostile input to it as well. In bytes. */
const ADDRESS_SPACE = 4 * 1024 ** 3;
const INFO_CPU_SECONDS = 30;

/** An open file, or the socket of a server of the NBD protocol. */
export type QemuInput = { descriptor: number } | { relaySocket: string };

export interface ConversionTarget {
  descriptor: number;
  driver: 'file' | 'host_device';
  /** Whether the target reads as zeros now. */
  isZero: boolean;
  /** Whether to bypass the page cache, the dirty pages of which would count against the memory limit. */
  directly: boolean;
}

/** @returns the virtual size in bytes */
export async function readVirtualSize(format: DiskFormat, input: QemuInput, signal?: AbortSignal): Promise<number> {
  const limits = `--as=${ADDRESS_SPACE} --cpu=${INFO_CPU_SECONDS}`;
  const command = `prlimit ${limits} qemu-img info --output=json --image-opts "$SOURCE"`;
  const result = await run(command, format, input, { signal });
  if (result.exitCode !== 0) throw failure(result, format);
  const information = JSON.parse(result.stdout) as Record<string, unknown>;
  const size = information['virtual-size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size)) {
    throw new TransferError('InvalidImage', `the ${format} image has no usable size`);
  }
  if (information['backing-filename'] !== undefined) {
    throw new TransferError(
      'UnsupportedImage',
      `the ${format} image refers to other files: flatten it with qemu-img convert`,
    );
  }
  return size;
}

/** @param onProgress called with the share that is done, 0–1 */
export async function convertTo(
  target: ConversionTarget,
  format: DiskFormat,
  input: QemuInput,
  onProgress: (share: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const zero = target.isZero ? '--target-is-zero' : '';
  const cache = target.directly ? 'none' : 'writeback';
  const command =
    `prlimit --as=${ADDRESS_SPACE} qemu-img convert -p -n -W ${zero} -t ${cache} ` +
    '--image-opts "$SOURCE" --target-image-opts "$TARGET"';
  const result = await run(command, format, input, {
    environment: { TARGET: `driver=raw,file.driver=${target.driver},file.filename=${inherited(0)}` },
    descriptors: [target.descriptor],
    signal,
    onStdout: (text) => {
      const percent = [...text.matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
      if (percent !== undefined) onProgress(Number(percent) / 100);
    },
  });
  if (result.exitCode !== 0) throw failure(result, format);
}

interface RunOptions {
  environment?: Record<string, string>;
  descriptors?: readonly number[];
  signal?: AbortSignal | undefined;
  onStdout?: (text: string) => void;
}

/** Runs a shell command that finds the image in $SOURCE; all variable input is passed in the environment. */
function run(command: string, format: DiskFormat, input: QemuInput, options: RunOptions): Promise<ProgramResult> {
  const driver = driverOf(format).qemuName;
  if ('descriptor' in input) {
    const { descriptors = [] } = options;
    const source = `driver=${driver},file.driver=file,file.filename=${inherited(descriptors.length)}`;
    return runProgram('sh', ['-c', `exec ${command}`], {
      ...options,
      descriptors: [...descriptors, input.descriptor],
      environment: { ...options.environment, SOURCE: source },
    });
  }
  const source = `driver=${driver},file.driver=nbd,file.server.type=unix,file.server.path=$unixsocket`;
  const served = ['curl', 'url=http://localhost/image', `unix-socket-path=${input.relaySocket}`];
  const script = `SOURCE="${source}"; export SOURCE; exec ${command}`;
  return runProgram('nbdkit', ['--readonly', '--unix', '-', ...served, '--run', script], options);
}

function failure({ stderr, exitCode }: ProgramResult, format: DiskFormat): TransferError {
  if (saysNoSpace(stderr)) {
    return new TransferError('NoSpace', 'no space left while converting the image: use a larger volume');
  }
  if (exitCode === 127) {
    return new TransferError(
      'ProgramMissing',
      'the programs qemu-img and prlimit are needed, and one is not installed',
    );
  }
  if (stderr.includes('log that needs to be replayed')) {
    return new TransferError(
      'UnsupportedImage',
      `the ${format} image was not closed cleanly, and its log has to be replayed first: with qemu-img check -r all, or by ` +
        'attaching it to a virtual machine and taking it off again',
    );
  }
  const lines = stderr.split('\n');
  // Advice may follow the error, and warnings and other programs may precede it.
  const reason = (lines.find((line) => /^qemu-img: (?!warning)/i.test(line)) ?? lines.at(-1) ?? '')
    .replace(/^.*?qemu-img: /, '')
    .replaceAll(/'[^']*\/[^']*'/g, 'the image');
  if (/could not open|invalid|corrupt|unsupported|does not support/i.test(stderr)) {
    return new TransferError('InvalidImage', `the ${format} image cannot be read: ${reason}`);
  }
  return new TransferError('ConversionFailed', `the ${format} image cannot be converted: ${reason}`);
}
