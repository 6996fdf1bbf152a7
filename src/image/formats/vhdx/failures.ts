import { imageFailures } from '../image-failures.ts';

export const failures = imageFailures('VHDX');
