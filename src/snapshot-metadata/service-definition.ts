import type { ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

/** The part of a snapshot's volume that a message tells of. */
export interface BlockMetadataResponse {
  readonly block_metadata_type: string;
  readonly volume_capacity_bytes: number;
  readonly block_metadata: readonly { readonly byte_offset: number; readonly size_bytes: number }[];
}

const field = (id: number, type: string) => ({ id, type });

const response = {
  fields: {
    block_metadata_type: field(1, 'BlockMetadataType'),
    volume_capacity_bytes: field(2, 'int64'),
    block_metadata: { ...field(3, 'BlockMetadata'), rule: 'repeated' },
  },
};

/**
 * Kubernetes SnapshotMetadata API, as clients call it (KEP-3314, "The Kubernetes SnapshotMetadata Service API"), which
 * differs from that of the same name in the CSI specification.
 */
const descriptor = {
  nested: {
    snapshotmetadata: {
      nested: {
        SnapshotMetadata: {
          methods: {
            GetMetadataAllocated: {
              requestType: 'GetMetadataAllocatedRequest',
              responseType: 'GetMetadataAllocatedResponse',
              responseStream: true,
            },
            GetMetadataDelta: {
              requestType: 'GetMetadataDeltaRequest',
              responseType: 'GetMetadataDeltaResponse',
              responseStream: true,
            },
          },
        },
        BlockMetadataType: { values: { UNKNOWN: 0, FIXED_LENGTH: 1, VARIABLE_LENGTH: 2 } },
        BlockMetadata: { fields: { byte_offset: field(1, 'int64'), size_bytes: field(2, 'int64') } },
        GetMetadataAllocatedRequest: {
          fields: {
            security_token: field(1, 'string'),
            namespace: field(2, 'string'),
            snapshot_name: field(3, 'string'),
            starting_offset: field(4, 'int64'),
            max_results: field(5, 'int32'),
          },
        },
        GetMetadataAllocatedResponse: response,
        GetMetadataDeltaRequest: {
          fields: {
            security_token: field(1, 'string'),
            namespace: field(2, 'string'),
            base_snapshot_id: field(3, 'string'),
            target_snapshot_name: field(4, 'string'),
            starting_offset: field(5, 'int64'),
            max_results: field(6, 'int32'),
          },
        },
        GetMetadataDeltaResponse: response,
      },
    },
  },
};

/** The service `snapshotmetadata.SnapshotMetadata`. */
export const snapshotMetadataService = fromJSON(descriptor as Parameters<typeof fromJSON>[0], {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
})['snapshotmetadata.SnapshotMetadata'] as ServiceDefinition;
