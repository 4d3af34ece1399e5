export { messageKey } from "./message-key";
export { publicOrigin, rememberOrigin } from "./origin";
