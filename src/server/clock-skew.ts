/** Clocks of nodes differ, so that a certificate is valid from some time before it was made. */
export const CLOCK_SKEW_MILLISECONDS = 10 * 60 * 1000;
