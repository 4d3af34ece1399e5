import { z } from "zod";

import { normaliseEmail, normalisePhone } from "../../identity/normalise";
import { Id, type MapContext, text, UnusableBody } from "./fields";

/** A request of the privacy law that Shopify passed on. */
export type PrivacyRequest =
  | { kind: "data_request" | "customer_redact"; customer: RequestedCustomer; orders: string[] }
  | { kind: "shop_redact" };

/** Whom it is about: any of these may be missing. */
export interface RequestedCustomer {
  id: string | null;
  /** Comparable form; what is no address stays as it was told. */
  email: string | null;
  /** As told, and in E.164 where it names its country. */
  phone: string | null;
  phoneE164: string | null;
}

/**
 * A signed body that belongs to another shop than the header says: the header is not signed. It is put aside without
 * what it says, which is about somebody else's customer.
 */
export class ForeignBody extends UnusableBody {
  constructor() {
    super("names another shop than its header");
  }
}

const ShopNamed = z.object({ shop_domain: z.string().trim().toLowerCase() });
const Person = z.object({
  id: Id.nullable().optional(),
  email: text(320).optional(),
  phone: text(60).optional(),
});
const Ids = z.array(Id).max(100_000).nullable().optional();
const PersonNamed = z.object({ customer: Person.nullable().optional(), orders_requested: Ids, orders_to_redact: Ids });

/** `shop/redact`. Throws `ForeignBody` when the body names another shop. */
export function mapShopRedact(body: unknown, context: MapContext): PrivacyRequest {
  refuseForeign(body, context);
  return { kind: "shop_redact" };
}

/** `customers/data_request` and `customers/redact`. Throws `ForeignBody`, and `UnusableBody` when it names nobody. */
export function mapPersonRequest(
  kind: "data_request" | "customer_redact",
  body: unknown,
  context: MapContext,
): PrivacyRequest {
  refuseForeign(body, context);
  const told = PersonNamed.parse(body);
  const { id = null, email = null, phone = null } = told.customer ?? {};
  const orders = (kind === "data_request" ? told.orders_requested : told.orders_to_redact) ?? [];
  if (id === null && email === null && phone === null && orders.length === 0) {
    throw new UnusableBody("names nobody");
  }
  return {
    kind,
    customer: {
      id,
      email: email === null ? null : (normaliseEmail(email) ?? email.toLowerCase()),
      phone,
      phoneE164: phone === null ? null : normalisePhone(phone),
    },
    orders,
  };
}

function refuseForeign(body: unknown, { domain }: MapContext): void {
  if (ShopNamed.parse(body).shop_domain !== domain) throw new ForeignBody();
}
