import type { Budget } from '../budget.ts';
import { mutate, type Random, stretch } from '../mutate.ts';
import { mutateText } from '../mutate-text.ts';
import type { Format } from '../seed-images.ts';
import { attemptClone } from './clones.ts';
import { HttpAttempts, httpTokens } from './http-answers.ts';
import { attemptImage } from './images.ts';
import { attemptLayers } from './layers.ts';
import { RegistryAttempts, registryTokens } from './registry-answers.ts';
import type { Attempt } from './subject.ts';
import { attemptText } from './texts.ts';

/** How one kind of bytes from outside is damaged, and what is let loose on it. */
interface Subject {
  readonly damage: (original: Buffer, random: Random) => Buffer;
  readonly attempt: Attempt;
  readonly budget: Budget;
}

const http = new HttpAttempts();
const registry = new RegistryAttempts();

const stretched = (original: Buffer, random: Random) => {
  const damaged = mutate(original, random);
  return random() < 0.3 ? stretch(damaged, random) : damaged;
};

/** What an image claims to hold is waited for, too. */
const image: Subject = { damage: mutate, attempt: attemptImage, budget: { fixed: 12_000, perByte: 5 } };
const other = (attempt: Attempt): Subject => ({ damage: stretched, attempt, budget: { fixed: 1_500, perByte: 5 } });
const answer = (tokens: readonly string[], attempt: Attempt): Subject => ({
  damage: (original, random) => mutateText(original, tokens, random),
  attempt,
  budget: { fixed: 500, perByte: 20 },
});

export const subjects: Readonly<Record<Format, Subject>> = {
  qcow2: image,
  qcow: image,
  vmdk: image,
  vdi: image,
  vhd: image,
  vhdx: image,
  packed: image,
  other: image,
  text: other(attemptText),
  layer: other(attemptLayers),
  clone: other(attemptClone),
  http: answer(httpTokens, (bytes, random) => http.attempt(bytes, random)),
  registry: answer(registryTokens, (bytes) => registry.attempt(bytes)),
};
