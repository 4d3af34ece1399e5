/** What the sending of messages uses of senders; no provider is loaded by it. */
export { type OpenedSender, openSender, type Sender, senderFor } from "./sender";
