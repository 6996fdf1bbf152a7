import { cdi } from './cdi/setup.ts';
import { certificates } from './certificates/setup.ts';
import { clone } from './clone/setup.ts';
import { dataImportCron } from './data-import-cron/setup.ts';
import { dataSource } from './data-source/setup.ts';
import { dataVolume } from './data-volume/setup.ts';
import { importer } from './import/importer/setup.ts';
import { importPopulator } from './import/populator/setup.ts';
import { monitoring } from './monitoring/setup.ts';
import { orphans } from './orphans/setup.ts';
import type { ControllerSetup } from './runtime/setup.ts';
import { storageProfile } from './storage-profile/setup.ts';
import { temporary } from './temporary/setup.ts';
import { uploadPopulator } from './upload/populator/setup.ts';
import { uploadServer } from './upload/server/setup.ts';
import { uploadProxyUrl } from './upload-proxy-url/setup.ts';

/** Every controller of the product. */
export const controllers = [
  cdi,
  certificates,
  uploadProxyUrl,
  storageProfile,
  dataVolume,
  dataSource,
  dataImportCron,
  importPopulator,
  importer,
  uploadPopulator,
  uploadServer,
  clone,
  temporary,
  orphans,
  monitoring,
] as const satisfies readonly ControllerSetup[];
