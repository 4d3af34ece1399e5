import { BRAND, SHOP_CURRENCY, SHOP_ID, SHOP_TIME_ZONE } from "../shop.ts";
import type { Deliveries } from "../shopify/deliveries.ts";
import type { StateFile } from "../store/state.ts";
import { type Action, actionAt, type Store } from "../store/store.ts";
import { type AdminApi, openAdminApi } from "./admin-api.ts";
import { demoRecords } from "./demo-records.ts";
import { outgoing } from "./outlets.ts";
import { type AdminStore, type Records, USUAL_SCOPES } from "./store.ts";

/**
 * The Admin API beside the storefront, which is one of its stores. `announce` sends a webhook to the subscriptions that
 * the app made over the API; while it made none, to the endpoint that was always there.
 */
export function mountAdminApi(
  store: Store,
  file: StateFile,
  deliveries: Deliveries,
  app: { apiKey?: string | undefined; apiSecret: string },
): { api: AdminApi; admin: AdminStore; announce: (action: Action, topic: string, payload: object) => void } {
  const api = openAdminApi();
  let known: Records | undefined;
  const save = file.save;
  // Whatever changes the state says so by saving it.
  store.save = () => {
    known = undefined;
    save();
  };
  const records = (): Records => {
    known ??= demoRecords(store);
    return known;
  };
  const admin = api.open(
    {
      id: SHOP_ID,
      domain: store.domain,
      name: BRAND,
      email: "hello@alder-and-oat.example",
      currency: SHOP_CURRENCY,
      ianaTimezone: SHOP_TIME_ZONE,
      clientId: app.apiKey,
      clientSecret: app.apiSecret,
      scopes: [...USUAL_SCOPES, "write_discounts", "write_app_proxy"],
    },
    records,
  );
  const announce = (action: Action, topic: string, payload: object): void => {
    if (!admin.app.installed) return;
    if (admin.subscriptions.size === 0) {
      deliveries.enqueue(action, topic, payload);
      return;
    }
    for (const { subscription, body } of outgoing(admin, topic, payload))
      deliveries.enqueue(action, topic, body, { endpoint: subscription.uri, name: subscription.name });
  };
  admin.emit = (topic, payload) => announce(actionAt(Date.now()), topic, payload);
  return { api, admin, announce };
}
