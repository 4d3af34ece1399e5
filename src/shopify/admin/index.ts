export { adminQuery, adminQueryWith, type Store } from "./client";
export { AdminError, type AdminErrorKind } from "./errors";
export { type AdminQuery, API_VERSION, type Variables } from "./query";
export type { TokenAnswer } from "./token";
