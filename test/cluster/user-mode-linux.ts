import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackedPackage } from './unpacked-package.ts';

/** A kernel that runs as a program, of which nothing is to be installed. Debian has it for x86-64 only. */
export const USER_MODE_LINUX_PACKAGE = 'user-mode-linux';

/** Path of the kernel, out of its Debian package. */
export const userModeLinux = (): string => join(unpackedPackage(USER_MODE_LINUX_PACKAGE), 'usr/bin/linux.uml');

/** Whether the package has been unpacked. */
export async function hasUserModeLinux(): Promise<boolean> {
  return access(userModeLinux(), constants.X_OK).then(
    () => true,
    () => false,
  );
}
