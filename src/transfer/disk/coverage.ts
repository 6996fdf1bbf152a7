/** A part of a disk that is passed on from its start to its end. */
export interface Run {
  /** Offset in bytes before which all of it has been passed on. */
  position: number;
  readonly end: number;
}

/** Knows up to where a disk has been passed on without gaps, while several of its runs are. */
export class Coverage {
  /** Those of which something is left, by their offsets. */
  readonly #runs: Run[] = [];
  #planned: number;

  /** @param from the offset before which nothing is passed on */
  constructor(from: number) {
    this.#planned = from;
  }

  /** Offset before which everything has been passed on. */
  get position(): number {
    return this.#runs[0]?.position ?? this.#planned;
  }

  /** Runs from the first of which something is left. */
  get remaining(): number {
    return this.#runs.length;
  }

  /** Adds a run, which begins where the last one ends. */
  add(start: number, end: number): Run {
    const run = { position: start, end };
    this.#runs.push(run);
    this.#planned = end;
    return run;
  }

  /** Tells that more of a run has been passed on. */
  passed(run: Run, position: number): void {
    run.position = position;
    while (this.#runs[0] !== undefined && this.#runs[0].position === this.#runs[0].end) this.#runs.shift();
  }
}
