import type { Kind, State, Watched } from '../rows/row.ts';

export const stateWords: Readonly<Record<State, string>> = {
  failed: 'Failed',
  waiting: 'Waiting',
  running: 'Running',
  done: 'Done',
};

export const kindWords: Readonly<Record<Kind, string>> = {
  clone: 'Clone',
  import: 'Import',
  upload: 'Upload',
  image: 'Image',
  other: 'Other',
};

/** What kind of object a row stands for. */
export const objectWords: Readonly<Record<Watched, string>> = {
  datavolumes: 'DataVolume',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  dataimportcrons: 'DataImportCron',
  datasources: 'DataSource',
};

/** Formats a count: `10,000`. */
export const count = (value: number): string => value.toLocaleString('en-US');
