/** The phases of a transfer that fills a volume, by the names under which users of CDI know them. */
export const processingPhases = [
  'Info',
  'TransferScratch',
  'TransferDataDir',
  'TransferDataFile',
  'Process',
  'Convert',
  'Resize',
  'Complete',
  'Error',
] as const;
export type ProcessingPhase = (typeof processingPhases)[number];

/** The phase that begins with a step of a transfer. */
const begun: Readonly<Record<string, ProcessingPhase>> = {
  connecting: 'Info',
  'copying to scratch space': 'TransferScratch',
  unpacking: 'TransferDataDir',
  copying: 'TransferDataFile',
  converting: 'Convert',
  syncing: 'Resize',
  done: 'Complete',
};

/** Keeps the phase of a transfer. */
export class Phases {
  #current: ProcessingPhase | undefined;

  /** Undefined until the first has begun. */
  get current(): ProcessingPhase | undefined {
    return this.#current;
  }

  /**
   * Reports a step of the transfer.
   *
   * @returns the phases that begin with it, in their order: none, one, or two after a copy to scratch space, which is
   *   read before it is written to the target
   */
  enter(step: string): readonly ProcessingPhase[] {
    const phase = begun[step];
    if (phase === undefined) return [];
    const isFromScratch = this.#current === 'TransferScratch' && (step === 'copying' || step === 'converting');
    this.#current = isFromScratch ? 'Convert' : phase;
    return isFromScratch ? ['Process', 'Convert'] : [phase];
  }

  /** Reports that the transfer has failed. */
  fail(): void {
    this.#current = 'Error';
  }
}
