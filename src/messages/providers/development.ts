import { AppError } from "../../errors";
import type { Provider } from "./provider";

/** Sends nothing: the delivery and its body, which are stored before any provider is called, are the outbox. */
export const development: Pick<Provider, "send" | "readFeedback"> = {
  send(message) {
    return Promise.resolve({ kind: "accepted", providerId: `development-${message.deliveryId}` });
  },
  readFeedback() {
    return Promise.reject(new AppError("not_found", "Nothing was sent, so nothing is reported"));
  },
};
