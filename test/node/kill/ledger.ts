/** What became of something that was sent: the Worker vouched for it, or nobody can know. */
export type Fate = "acknowledged" | "unknown";

export interface SentCart {
  token: string;
  /** Of the activity that was acknowledged last; null while none was. */
  activityAt: number | null;
  /** Something about it went unanswered, so that only what must never happen can be asserted. */
  isUnsure: boolean;
  /** When it was bought, and who said so. */
  purchase: { at: number; by: "browser" | "order" } | null;
}

export interface SentOrder {
  id: string;
  customer: string;
  cartToken: string;
  total: number;
  refund: { id: string; amount: number; fate: Fate } | null;
  fate: Fate;
}

/** Everything that was sent, and what the Worker acknowledged of it. */
export class Ledger {
  /** By visitor: fate by `type id`. */
  readonly events = new Map<string, Map<string, Fate>>();
  /** Visitors by the address that they gave; those of which the beacon was acknowledged. */
  readonly identified = new Map<string, string>();
  /** Fate by webhook id. */
  readonly webhooks = new Map<string, Fate>();
  /** Fate by Shopify's customer id, and the address that every body of the customer carries. */
  readonly customers = new Map<string, { email: string; fate: Fate }>();
  readonly orders: SentOrder[] = [];
  readonly carts: SentCart[] = [];
  /** Visitors whose cart a webhook tied to a customer. */
  readonly joined = new Map<string, string>();
  /** How often each status was answered, as `path status`. */
  readonly answers = new Map<string, number>();

  count(what: "events" | "webhooks"): number {
    const fates =
      what === "events" ? [...this.events.values()].flatMap((e) => [...e.values()]) : [...this.webhooks.values()];
    return fates.filter((fate) => fate === "acknowledged").length;
  }

  answered(path: string, status: number): void {
    const name = `${path} ${status}`;
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
  }

  /** Answers of either path so far; the fewer of the two, so that both count. */
  get answerCount(): number {
    const of = (path: string) =>
      [...this.answers].reduce((sum, [name, n]) => (name.startsWith(path) ? sum + n : sum), 0);
    return Math.min(of("/ff"), of("/webhooks"));
  }
}
