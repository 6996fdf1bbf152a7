/** What an image's header tells, for people. What it does not tell is missing. Sizes in bytes. */
export interface ImageDetails {
  /** Of the disk, as its guest sees it. */
  virtualSize?: number | undefined;
  /** Of the format, or its kind where the format has several. */
  version?: string | undefined;
  /** Or grains, or blocks. */
  clusterSize?: number | undefined;
  compression?: string | undefined;
  /** Internal ones; they are left behind by an import. */
  snapshots?: number | undefined;
  backingFile?: string | undefined;
  dataFile?: string | undefined;
  encryption?: string | undefined;
  /** What else is special about it. */
  features?: string[] | undefined;
}
