/** Characters of one part of a template. */
export const MOST_CHARACTERS = 200_000;

/** Characters of a rendered message: Gmail cuts an e-mail at 102 KB, and providers refuse a few megabytes. */
export const MOST_RENDERED = 300_000;
