const STEPS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

/** Formats a number of bytes as the shortest exact quantity: 1073741824 is `1Gi`, 1000 is `1000`. */
export function formatQuantity(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value > 0 && value % 1024 === 0 && step < STEPS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${value}${STEPS[step]}`;
}
