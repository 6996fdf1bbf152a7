/** Details from the header of an image, for people. Unknown ones are missing. Sizes are in bytes. */
export interface ImageDetails {
  /** Size of the disk as the guest sees it. */
  virtualSize?: number | undefined;
  /** Version of the format, or its variant. */
  version?: string | undefined;
  /** Size of clusters, grains or blocks. */
  clusterSize?: number | undefined;
  compression?: string | undefined;
  /** Number of internal snapshots, which are not imported. */
  snapshots?: number | undefined;
  backingFile?: string | undefined;
  dataFile?: string | undefined;
  encryption?: string | undefined;
  /** Other properties of interest. */
  features?: string[] | undefined;
}
