/** A random UUID (version 4), which every browser puts into a blob's address, on pages without TLS as well. */
export const uuid = (): string => URL.createObjectURL(new Blob()).slice(-36);
