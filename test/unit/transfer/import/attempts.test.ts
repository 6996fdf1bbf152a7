import { expect } from 'chai';
import { TransferError, type TransferErrorCode, transferErrorCodes } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { DoubtfulMember } from '../../../../src/image/unwrap/doubtful-member.ts';
import { choosingMembers, restartingOnChange } from '../../../../src/transfer/import/attempts.ts';
import { doubted } from '../../../../src/transfer/import/doubted.ts';
import { failureOf } from '../../image/formats/mapped-disks.ts';

const failure = (code: TransferErrorCode): TransferError => new TransferError(code, `failed by ${code}`);
const notes: string[] = [];
const progress = (): Progress => {
  notes.length = 0;
  return new Progress((step) => notes.push(step));
};

describe('the attempts of an import', () => {
  it('start over where the source has changed, five times at most, and for no other failure', async () => {
    let attempts = 0;
    const failing = (code: TransferErrorCode) => async () => {
      attempts += 1;
      throw failure(code);
    };
    for (const code of transferErrorCodes) {
      attempts = 0;
      expect(await failureOf(restartingOnChange(progress(), failing(code)))).to.have.property('code', code);
      expect(attempts, code).to.equal(code === 'SourceChanged' ? 6 : 1);
      expect(notes).to.deep.equal(Array(attempts - 1).fill('restarting'));
    }
  });

  it('look for another disk in each archive whose member was none, and remember nothing of the first', async () => {
    const looked: (readonly number[])[] = [];
    let forgotten = 0;
    const forget = async (): Promise<void> => void (forgotten += 1);
    const found = await choosingMembers(
      { progress: progress(), formatIsStated: false, forget },
      async (certainOnly) => {
        looked.push(certainOnly);
        if (certainOnly.length < 2) throw new DoubtfulMember(1 - certainOnly.length, failure('InvalidImage'));
        return 'a disk';
      },
    );
    expect(found).to.equal('a disk');
    expect(looked).to.deep.equal([[], [1], [1, 0]]);
    expect(forgotten).to.equal(2);
    expect(notes).to.deep.equal(Array(2).fill('looking for another disk in the archive'));
  });

  it('fail of the first member where nothing better is found, and otherwise of what came last', async () => {
    const first = failure('InvalidImage');
    for (const code of transferErrorCodes) {
      const options = { progress: progress(), formatIsStated: false, forget: async () => {} };
      const last = failure(code);
      const thrown = await failureOf(
        choosingMembers(options, async (certainOnly) => {
          throw certainOnly.length === 0 ? new DoubtfulMember(0, first) : last;
        }),
      );
      expect(thrown, code).to.equal(['NotAnImage', 'SourceNotReadable'].includes(code) ? first : last);
    }
  });

  it('take the member that there is where the format is stated', async () => {
    const doubt = new DoubtfulMember(0, failure('InvalidImage'));
    const options = { progress: progress(), formatIsStated: true, forget: async () => {} };
    expect(
      await failureOf(
        choosingMembers(options, async () => {
          throw doubt;
        }),
      ),
    ).to.equal(doubt);
    expect(notes).to.deep.equal([]);
  });

  it('doubt a member only for failures that something else than a disk has, and only while it may be something else', () => {
    const codes = transferErrorCodes.filter(
      (code) => doubted(failure(code), { doubtfulIn: () => 1 }) instanceof DoubtfulMember,
    );
    const ofOtherFiles = ['NotAnImage', 'InvalidImage', 'TruncatedImage', 'UnsupportedImage', 'ImageTooLarge'];
    expect(codes).to.have.members(ofOtherFiles);
    for (const error of [...transferErrorCodes.map(failure), new Error('another'), undefined]) {
      expect(doubted(error, { doubtfulIn: () => undefined })).to.equal(error);
    }
    const doubt = new DoubtfulMember(0, failure('InvalidImage'));
    expect(doubted(doubt, { doubtfulIn: () => 1 })).to.equal(doubt);
  });
});
