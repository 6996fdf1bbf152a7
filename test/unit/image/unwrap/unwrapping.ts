import { expect } from 'chai';
import { pack } from 'tar-stream';
import { ByteReader } from '../../../../src/base/bytes.ts';
import { unwrap, type UnwrapOptions, type Unwrapped } from '../../../../src/image/unwrap/unwrap.ts';
import { collect, lend } from '../../base/streams.ts';

/** An archive of these members, by their names. */
export async function tar(members: Record<string, Buffer | string>): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of Object.entries(members)) packing.entry({ name }, content);
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Unwraps what comes in pieces as small as those of a network. */
export function open(bytes: Buffer, options?: UnwrapOptions): Promise<Unwrapped> {
  return unwrap(new ByteReader(lend(bytes, Array<number>(500).fill(900))), bytes.length, 'here', options);
}

/** Expects that unwrapping, or what is read then, fails. */
export async function expectFailure(bytes: Buffer, code: string, message: RegExp): Promise<void> {
  const error = await open(bytes)
    .then(({ reader }) => collect(reader.rest()))
    .catch((reason: unknown) => reason);
  expect(error).to.have.property('code', code);
  expect((error as Error).message).to.match(message);
}
