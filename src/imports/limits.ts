/** Bytes of a whole file, and of what fits into the request that begins an import. */
export const MOST_BYTES = 100 * 1024 * 1024;
export const MOST_INLINE = 900_000;
export const MOST_PARTS = 1_000;

/** How long a file that waits, and one that was written, is kept, ms. */
export const FILE_LIFE_MS = 7 * 86_400_000;
export const DOWNLOAD_LIFE_MS = 86_400_000;
