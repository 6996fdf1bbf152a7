import { join } from 'node:path';
import { loadPackageDefinition, Server, type ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { Logger } from '../../src/base/logger.ts';
import { listen } from './listen.ts';
import { handlers } from './service.ts';

/** The kubelet's plugin registration service, version 1: a plugin serves it, the kubelet calls it. */
export const REGISTRATION: Parameters<typeof fromJSON>[0] = {
  nested: {
    pluginregistration: {
      nested: {
        InfoRequest: { fields: {} },
        PluginInfo: {
          fields: {
            type: { type: 'string', id: 1 },
            name: { type: 'string', id: 2 },
            endpoint: { type: 'string', id: 3 },
            supported_versions: { rule: 'repeated', type: 'string', id: 4 },
          },
        },
        RegistrationStatus: {
          fields: { plugin_registered: { type: 'bool', id: 1 }, error: { type: 'string', id: 2 } },
        },
        RegistrationStatusResponse: { fields: {} },
        Registration: {
          methods: {
            GetInfo: { requestType: 'InfoRequest', responseType: 'PluginInfo', comment: '' },
            NotifyRegistrationStatus: {
              requestType: 'RegistrationStatus',
              responseType: 'RegistrationStatusResponse',
              comment: '',
            },
          },
        },
      },
    },
  },
};

/**
 * Offers the driver to the kubelet, which watches the folder for sockets.
 *
 * @param directory the kubelet's plugins_registry
 * @param endpoint path of the driver's own socket
 * @returns the server, to be shut down when the driver ends
 */
export async function register(directory: string, driverName: string, endpoint: string, log: Logger): Promise<Server> {
  const definition = fromJSON(REGISTRATION, { keepCase: true, defaults: true });
  const root = loadPackageDefinition(definition) as unknown as {
    pluginregistration: { Registration: ServiceClientConstructor };
  };
  const server = new Server();
  const methods = {
    GetInfo: async () => ({ type: 'CSIPlugin', name: driverName, endpoint, supported_versions: ['1.0.0'] }),
    NotifyRegistrationStatus: async (status: { plugin_registered: boolean; error: string }) => {
      if (!status.plugin_registered) {
        log.error('the kubelet refused the driver', { error: status.error });
      }
      return {};
    },
  };
  server.addService(root.pluginregistration.Registration.service, handlers(methods, log));
  await listen(server, join(directory, `${driverName}-reg.sock`));
  return server;
}
