import { expect } from 'chai';
import { asTargetError } from '../../../src/sink/target-errors.ts';

const failed = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

describe('an error of the target', () => {
  it('says of a volume that it is mounted read-only', () => {
    const told = asTargetError(failed('EROFS'), '/data/disk.img');
    expect(told).to.include({ code: 'TargetNotWritable' });
    expect(told)
      .to.have.property('message')
      .that.matches(/disk\.img.*read-only/);
  });

  it('is told of a quota too, for which Node has no name', () => {
    const code = 'Unknown system error -122';
    const exceeded = Object.assign(new Error(`${code}: ${code}, write`), { code, errno: -122, syscall: 'write' });
    expect(asTargetError(exceeded, '/data/disk.img')).to.include({ code: 'NoSpace', permanent: true });
    expect(asTargetError(new Error('it failed', { cause: exceeded }), '/data')).to.include({ code: 'NoSpace' });
  });

  it('is told from those that pass, and from those that are none of the target', () => {
    expect(asTargetError(failed('ENOSPC'), '/data')).to.include({ code: 'NoSpace' });
    expect(asTargetError(failed('EACCES'), '/data')).to.include({ code: 'TargetNotWritable' });
    const other = failed('ECONNRESET');
    expect(asTargetError(other, '/data')).to.equal(other);
  });
});
