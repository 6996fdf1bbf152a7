/** How a SnapshotMetadata service is reached: the spec of its SnapshotMetadataService object. */
export interface ServiceAddress {
  /** `host:port` of a gRPC server over TLS. */
  readonly address: string;
  /** Certificates of the authorities that the server's is verified with, as PEM. */
  readonly certificates: string;
}
