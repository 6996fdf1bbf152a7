import type { OpenerOf } from './opener.ts';

export const blank: OpenerOf<'blank'> = { open: async () => undefined };
