import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The services of csi.proto that this driver serves, as client constructors that carry their definitions. */
export interface CsiServices {
  Identity: ServiceClientConstructor;
  Controller: ServiceClientConstructor;
  Node: ServiceClientConstructor;
  SnapshotMetadata: ServiceClientConstructor;
}

/**
 * Loads the CSI specification's protocol definition.
 *
 * @param path csi.proto of the module github.com/container-storage-interface/spec
 */
export function loadCsiServices(path: string): CsiServices {
  const definition = loadSync(path, { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true });
  const root = loadPackageDefinition(definition) as unknown as { csi: { v1: CsiServices } };
  return root.csi.v1;
}
