/**
 * What a `Connection` object answers: a token that is good for another minute, or why there is none. `isTroubled` while
 * the connection shows a problem that an answer of the store's ends.
 */
export type TokenAnswer =
  | { token: string; isTroubled?: boolean }
  | { problem: "not_connected" | "token_refused" | "token_unreadable" | "shop_frozen" | "unreachable" };
