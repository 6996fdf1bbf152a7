/**
 * Returns the outcome of some work, or false where it fails or takes too long.
 *
 * @param limit in milliseconds
 */
export async function isTrueWithin(limit: number, work: Promise<boolean>): Promise<boolean> {
  let overdue: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    overdue = setTimeout(() => resolve(false), limit);
  });
  try {
    return await Promise.race([work.catch(() => false), late]);
  } finally {
    clearTimeout(overdue);
  }
}
