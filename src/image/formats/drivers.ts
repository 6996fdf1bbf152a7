import type { DiskFormatDriver } from './driver.ts';
import { qcow } from './qcow/driver.ts';
import { qcow2 } from './qcow2/driver.ts';
import { qed } from './qed/driver.ts';
import { raw } from './raw/driver.ts';
import { vdi } from './vdi/driver.ts';
import { vhd } from './vhd/driver.ts';
import { vhdx } from './vhdx/driver.ts';
import { vmdk } from './vmdk/driver.ts';

/** The formats of disk images that can be imported. */
const declared = [raw, qcow, qcow2, vmdk, vhdx, vhd, vdi, qed] as const satisfies readonly DiskFormatDriver[];

export type DiskFormat = (typeof declared)[number]['name'];

export const drivers: readonly DiskFormatDriver<DiskFormat>[] = declared;

/** All names of formats that a user may give: their own, and those of qemu-img. */
export const formatNames: readonly string[] = [...new Set(drivers.flatMap(({ name, qemuName }) => [name, qemuName]))];

/** @param name one of {@link formatNames} */
export function formatNamed(name: string): DiskFormat | undefined {
  return drivers.find((driver) => driver.name === name || driver.qemuName === name)?.name;
}

const byName = new Map(drivers.map((driver) => [driver.name, driver]));

export function driverOf(format: DiskFormat): DiskFormatDriver<DiskFormat> {
  const driver = byName.get(format);
  if (driver === undefined) throw new Error(`there is no disk format ${format}`);
  return driver;
}
