import { OPT_IN_COUNTRIES } from "../collect";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { isStoreDomain } from "../shopify";
import type { Settings, Shop } from "../shops";
import { Cookie, Key } from "../tracker/config";

/** What the text is made of: settings of the shop, and constants of the code that does what the text says. */
export interface PrivacyFacts {
  shop: string;
  mode: Settings["consentMode"];
  /** ISO codes of the countries where a visitor is asked first, in mode `region`. */
  optInCountries: string[];
  isOnShopify: boolean;
  cookie: { name: string; days: number };
  storage: { queue: string; consent: string; excluded: string; forget: string; cart: string; customer: string };
  /** Days; 0 keeps until erasure. */
  retention: { events: number; visitors: number; webhookBodies: number; trash: number };
  /** Hosts that the shop has events sent to. */
  recipients: string[];
  /** Query parameters of addresses that are kept beside those of campaigns. */
  keptParams: string[];
}

/** Reads the recipients; everything else is in the shop's settings or in the code. */
export async function readPrivacyFacts({ db, shop }: Pick<Ctx, "db" | "shop">): Promise<PrivacyFacts> {
  const { results } = await sql(
    db,
    "select url from webhook_endpoints where shop = ? and state <> 'disabled' order by key limit 100",
    shop.key,
  ).all<{ url: string }>();
  const hosts = results.flatMap(({ url }) => URL.parse(url)?.hostname ?? []);
  return privacyFacts(shop, [...new Set(hosts)]);
}

export function privacyFacts({ name, domain, settings }: Shop, recipients: string[]): PrivacyFacts {
  return {
    shop: name,
    mode: settings.consentMode,
    optInCountries: [...OPT_IN_COUNTRIES],
    isOnShopify: isStoreDomain(domain),
    cookie: { name: Key.Visitor, days: Cookie.Seconds / 86_400 },
    storage: {
      queue: Key.Queue,
      consent: Key.Consent,
      excluded: Key.Excluded,
      forget: Key.Forget,
      cart: Key.Cart,
      customer: CUSTOMER_MARK,
    },
    retention: {
      events: settings.eventRetentionDays,
      visitors: settings.visitorRetentionDays,
      webhookBodies: settings.webhookBodyRetentionDays,
      trash: settings.trashRetentionDays,
    },
    recipients,
    keptParams: settings.keepQueryParams,
  };
}

/** What the app embed keeps for a tab (`extensions/footfall-embed/blocks/tracker.liquid`; a test compares them). */
export const CUSTOMER_MARK = "ff_customer";

/** Refuses and erases: after `forget` alone, a shop that follows until refused would start anew. */
export const OPT_OUT_CALL = "footfall.forget();footfall.consent(false)";
