/** What a `Connection` object answers: a token that is good for another minute, or why there is none. */
export type TokenAnswer =
  | { token: string }
  | { problem: "not_connected" | "token_refused" | "token_unreadable" | "shop_frozen" | "unreachable" };
