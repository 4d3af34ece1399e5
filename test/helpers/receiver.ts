import { type PlannedReply, RECEIVER_DOMAIN, type ReceivedCall } from "./receiver-service";

/** A receiver of outgoing webhooks of this test's own. */
export function newReceiver() {
  const origin = `https://${crypto.randomUUID()}.${RECEIVER_DOMAIN}`;
  return {
    url: `${origin}/footfall`,
    /** What it answers next; 204 after the last. */
    replies: async (...replies: PlannedReply[]) => {
      await fetch(`${origin}/__replies`, { method: "PUT", body: JSON.stringify(replies) });
    },
    /** What came, oldest first. */
    log: async (): Promise<ReceivedCall[]> => (await fetch(`${origin}/__log`)).json(),
  };
}
