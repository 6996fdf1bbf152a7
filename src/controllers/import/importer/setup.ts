import { transferController } from '../../transfers/setup.ts';
import { importTransfer } from './import-transfer.ts';

/** Fills claims whose annotations request an import, with an importer pod. */
export const importer = transferController(importTransfer);
