import { expect } from 'chai';
import { Phases } from '../../../src/pods/phases.ts';

const phasesOf = (...steps: readonly string[]) => {
  const phases = new Phases();
  return steps.flatMap((step) => phases.enter(step));
};

describe('the phases of a transfer', () => {
  it('are those of a disk that is written as it comes', () => {
    expect(phasesOf('connecting', 'recognised', 'copying', 'syncing', 'done')).to.deep.equal([
      ...['Info', 'TransferDataFile', 'Resize', 'Complete'],
    ]);
  });

  it('are those of an image that is converted on its way', () => {
    expect(phasesOf('connecting', 'converting', 'syncing', 'done')).to.deep.equal([
      ...['Info', 'Convert', 'Resize', 'Complete'],
    ]);
  });

  it('are those of one that goes through scratch space', () => {
    const steps = ['connecting', 'random access needed', 'copying to scratch space', 'converting', 'syncing', 'done'];
    expect(phasesOf(...steps)).to.deep.equal([
      ...['Info', 'TransferScratch', 'Process', 'Convert', 'Resize', 'Complete'],
    ]);
  });

  it('are those of an archive', () => {
    expect(phasesOf('connecting', 'unpacking', 'syncing', 'done')).to.deep.equal([
      ...['Info', 'TransferDataDir', 'Resize', 'Complete'],
    ]);
  });

  it('end with a failure', () => {
    const phases = new Phases();
    phases.enter('connecting');
    phases.fail();
    expect(phases.current).to.equal('Error');
  });
});
