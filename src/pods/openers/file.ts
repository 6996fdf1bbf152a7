import { openConfined } from '../../base/confined-file.ts';
import type { OpenerOf } from './opener.ts';

export const file: OpenerOf<'file'> = {
  async open({ path }, { mounts, progress }) {
    const { FileSource } = await import('../../source/kinds/file-source.ts');
    const openFile = () => openConfined(mounts.sourceFiles, path);
    return { source: new FileSource(path, progress, path, openFile) };
  },
};
