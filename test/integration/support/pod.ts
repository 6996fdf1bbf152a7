import type { ImporterSettings } from '../../../src/pods/importer.ts';
import { keepYoungGenerationSmall } from '../../../src/pods/memory.ts';

keepYoungGenerationSmall();
const { runImporter } = await import('../../../src/pods/importer.ts');
const settings = JSON.parse(process.env['POD_SETTINGS'] ?? '{}') as Partial<ImporterSettings>;
// As the role in main.ts does.
process.exit(await runImporter(settings));
