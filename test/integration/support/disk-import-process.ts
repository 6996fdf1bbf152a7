import { keepYoungGenerationSmall } from '../../../src/pods/memory.ts';

// As the roles in main.ts do.
keepYoungGenerationSmall();
await import('./killed-disk-import.ts');
