import type { Shop } from "../shops";
import type { Refused, Rendered } from "./render";
import type { About, ShownSender } from "./scope";

export type { Refused, Rendered } from "./render";

export interface RenderRequest {
  /** Keys. */
  template: number;
  version: number;
  contact: number | null;
  about: About;
  delivery: { id: string };
  sender: ShownSender;
  urls: { unsubscribeUrl: string; preferencesUrl: string; viewUrl: string } | null;
  /** BCP 47. */
  language: string;
}

/**
 * Renders a pinned version for one recipient. A code that `{% coupon %}` hands out belongs to the delivery, so that a
 * repeated rendering has the same. Loads the engines with the first message.
 */
export async function renderMessage(
  env: Env,
  shop: Shop,
  request: RenderRequest,
  now: number,
): Promise<Rendered | Refused> {
  const [{ readVersion }, { couponsOf, renderContent }, { scopeOf }, { rootsOf }] = await Promise.all([
    import("./read"),
    import("./render"),
    import("./scope"),
    import("./preview"),
  ]);
  const version = await readVersion(env.DB, shop.key, request.template, request.version);
  if (!version) return { ok: false, reason: "no_template" };
  const scope = await scopeOf(env, shop, request, rootsOf(version.compiled), now);
  const take = couponsOf(env.DB, shop, request.delivery.id, request.contact, now);
  return renderContent(shop, version, scope, take);
}
