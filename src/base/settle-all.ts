/**
 * Waits until all have settled, as Promise.all does not, because what they use must not be used again before.
 *
 * @throws what the first of them in order that failed threw
 */
export async function settleAll<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
