import { ajaxMoney } from "../money.ts";
import { add } from "./borrowed.ts";
import type { PageMeta } from "./theme.ts";

declare const ShopifyAnalytics: { meta: PageMeta };

/**
 * What a product, collection or search page shows; what else there is to know of a product, the server knows. Throws on a page that does not say.
 */
export const viewed = (): void => {
  const { currency, page, product } = ShopifyAnalytics.meta;
  const query = new URLSearchParams(location.search);
  const { pageType, resourceId } = page;
  if (pageType == "product" && product) {
    const { id, variants } = product;
    const variant = variants.find((one) => one.id == query.get("variant")) || variants[0];
    add("product_viewed", {
      productId: "" + id,
      variantId: "" + variant.id,
      title: variant.name,
      sku: variant.sku,
      price: ajaxMoney(variant.price, currency),
    });
  }
  if (pageType == "collection") add("collection_viewed", { collectionId: "" + resourceId });
  if (pageType == "searchresults") add("search_submitted", { query: query.get("q") });
};
