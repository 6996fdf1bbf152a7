/**
 * The fields of csi.proto's messages that this driver reads and writes, as the loader gives them: names as in the
 * proto, 64-bit integers as numbers, enums as their names, missing messages as null.
 */

export type AccessMode =
  | 'UNKNOWN'
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER';

export interface VolumeCapability {
  /** Which of the two below is set. */
  access_type?: 'block' | 'mount';
  block?: object | null;
  mount?: { fs_type: string; mount_flags: string[] } | null;
  access_mode: { mode: AccessMode } | null;
}

export interface CapacityRange {
  /** Bytes; 0 where it is not given. */
  required_bytes: number;
  /** Bytes; 0 where it is not given. */
  limit_bytes: number;
}

export interface VolumeContentSource {
  snapshot?: { snapshot_id: string } | null;
  volume?: { volume_id: string } | null;
}

export interface Topology {
  segments: Record<string, string>;
}

export interface Volume {
  capacity_bytes: number;
  volume_id: string;
  content_source?: VolumeContentSource;
  accessible_topology: Topology[];
}

export interface Snapshot {
  size_bytes: number;
  snapshot_id: string;
  source_volume_id: string;
  creation_time: { seconds: number; nanos: number };
  ready_to_use: boolean;
}

export interface CreateVolumeRequest {
  name: string;
  capacity_range: CapacityRange | null;
  volume_capabilities: VolumeCapability[];
  parameters: Record<string, string>;
  volume_content_source: VolumeContentSource | null;
  accessibility_requirements: { requisite: Topology[]; preferred: Topology[] } | null;
}

export interface ValidateVolumeCapabilitiesRequest {
  volume_id: string;
  volume_context: Record<string, string>;
  volume_capabilities: VolumeCapability[];
  parameters: Record<string, string>;
}

export interface ListVolumesRequest {
  max_entries: number;
  starting_token: string;
}

export interface GetCapacityRequest {
  volume_capabilities: VolumeCapability[];
  parameters: Record<string, string>;
  accessible_topology: Topology | null;
}

export interface CreateSnapshotRequest {
  source_volume_id: string;
  name: string;
  parameters: Record<string, string>;
}

export interface ListSnapshotsRequest {
  max_entries: number;
  starting_token: string;
  source_volume_id: string;
  snapshot_id: string;
}

export interface ControllerExpandVolumeRequest {
  volume_id: string;
  capacity_range: CapacityRange | null;
}

export interface NodePublishVolumeRequest {
  volume_id: string;
  target_path: string;
  volume_capability: VolumeCapability | null;
  readonly: boolean;
}

export interface NodeUnpublishVolumeRequest {
  volume_id: string;
  target_path: string;
}

export interface NodeGetVolumeStatsRequest {
  volume_id: string;
  volume_path: string;
}

export interface NodeExpandVolumeRequest {
  volume_id: string;
  volume_path: string;
}
