import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A folder as a Secret or ConfigMap would be mounted. */
export async function mountOf(parent: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(parent, 'mount-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}
