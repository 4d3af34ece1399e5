/** What our blocks say to shoppers. */
export const en = {
  return_to_checkout: "Return to checkout",
  quantity: "Quantity",
  total: "Total",
  subtotal: "Subtotal",
  shipping: "Shipping",
  discount: "Discount",
  tax: "Tax",
  order: "Order",
  view_product: "View product",
  recommended: "You may also like",
  unsubscribe: "Unsubscribe",
  preferences: "Preferences",
  view_in_browser: "View in browser",
  there: "there",
};

export type Texts = typeof en;
