/** Personalisation tags of ActiveCampaign and kin by what they are called here. */
const TAGS: Record<string, string> = {
  FIRSTNAME: "contact.first_name",
  LASTNAME: "contact.last_name",
  FULLNAME: "contact.full_name",
  EMAIL: "contact.email",
  PHONE: "contact.phone",
  ORGNAME: "contact.company",
  "ACCT-NAME": "contact.company",
  UNSUBSCRIBELINK: "unsubscribe_url",
  WEBCOPY: "view_url",
  UPDATELINK: "preferences_url",
  ECOM_CUSTOMER_TOTAL_ORDERS: "contact.orders_count",
  ECOM_CUSTOMER_TOTAL_REVENUE: "contact.total_spent",
  ECOM_ORDER_NUMBER: "order.name",
  ECOM_ORDER_TOTAL: "order.total",
  ECOM_ORDER_DATE: "order.placed_at",
  ECOM_CART_TOTAL: "cart.value",
  ECOM_CART_URL: "cart.url",
  ECOM_CHECKOUT_URL: "cart.url",
  ECOM_PRODUCT_NAME: "item.title",
  ECOM_PRODUCT_PRICE: "item.price",
  ECOM_PRODUCT_QUANTITY: "item.quantity",
  ECOM_PRODUCT_IMAGE: "item.image",
  ECOM_PRODUCT_URL: "item.url",
  ECOM_STORE_NAME: "shop.name",
  ECOM_STORE_URL: "shop.url",
};

const TAG = /%([A-Z][A-Z0-9_-]*)(?:\|([^%\n]{0,200}))?%/g;

/**
 * Turns `%FIRSTNAME|there%` into `{{ contact.first_name | default: "there" }}`. Tags that nobody here knows stay as they
 * are, and are named; any other custom field (`%SHOE_SIZE%`) is not guessed.
 */
export function translateTags(text: string): { text: string; unknown: string[] } {
  const unknown = new Set<string>();
  const translated = text.replace(TAG, (tag, name: string, fallback: string | undefined) => {
    const value = TAGS[name];
    if (value === undefined) {
      unknown.add(name);
      return tag;
    }
    const quoted = fallback?.replaceAll('"', "'");
    return quoted === undefined ? `{{ ${value} }}` : `{{ ${value} | default: "${quoted}" }}`;
  });
  return { text: translated, unknown: [...unknown] };
}
