import prettyBytes from 'pretty-bytes';

/** Formats a size for people: `1.4 GiB`. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}

/** Formats a size like {@link formatBytes}, with the exact count, for messages in which two sizes may look alike. */
export function formatExactBytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${formatBytes(bytes)} (${bytes} bytes)`;
}
