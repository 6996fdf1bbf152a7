import type { Method } from './service.ts';

/** The CSI Identity service. */
export function identity(driverName: string, hasTopology: boolean): Record<string, Method> {
  const services = [
    'CONTROLLER_SERVICE',
    'SNAPSHOT_METADATA_SERVICE',
    ...(hasTopology ? ['VOLUME_ACCESSIBILITY_CONSTRAINTS'] : []),
  ];
  return {
    GetPluginInfo: async () => ({ name: driverName, vendor_version: '1.0.0' }),
    GetPluginCapabilities: async () => ({
      capabilities: [...services.map((type) => ({ service: { type } })), { volume_expansion: { type: 'ONLINE' } }],
    }),
    Probe: async () => ({ ready: { value: true } }),
  };
}
