/** The signed token of a tracked link, as it stands in the address: its letters need no encoding. */
export const TOKEN = /[?&]ff_id=([^&#]*)/;

/** The whole address as it is written, but for the link token. */
export const withoutToken = (): string => location.href.replace(/(\?)ff_id=[^&#]*&|[?&]ff_id=[^&#]*/, "$1");

/** The page's address without the link token and without a fragment, unless the fragment is a route (`#/`, `#!`). */
export const here = (): string => withoutToken().replace(/#(?![!/]).*/, "");
