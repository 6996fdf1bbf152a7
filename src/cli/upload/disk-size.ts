import { TransferError } from '../../base/errors.ts';
import { Progress } from '../../base/progress.ts';
import { FileSource } from '../../source/kinds/file-source.ts';
import { inspectImage } from '../../transfer/inspect-image.ts';
import { file } from '../sources/file.ts';
import type { NewTarget } from './target.ts';

const MEBIBYTE = 2 ** 20;

/**
 * Returns the size of the disk in an image as a quantity, in whole MiB.
 *
 * @param given the path of the image, or - for standard input
 * @throws TransferError where the image does not say how large its disk is, or cannot be imported
 */
export async function diskSize(given: string, contentType: NewTarget['contentType']): Promise<string> {
  const unknown = (why: string) => new TransferError('InvalidRequest', `${why}: give the size of the disk with --size`);
  if (given === '-') throw unknown('standard input can be read only once, so that it is not looked at first');
  if (contentType === 'archive') throw unknown('an archive does not say how large its files are together');
  const path = file.localPath?.(given) ?? given;
  const { virtualSize, refusal } = await inspectImage(new FileSource(path, new Progress()));
  if (refusal !== undefined) throw new TransferError('UnsupportedImage', `${given}: ${refusal}`);
  if (virtualSize === undefined) throw unknown(`${given} does not say how large its disk is`);
  return `${Math.ceil(virtualSize / MEBIBYTE)}Mi`;
}
