import type { Texts } from "./en";

export const fr: Texts = {
  return_to_checkout: "Reprendre ma commande",
  quantity: "Quantité",
  total: "Total",
  subtotal: "Sous-total",
  shipping: "Livraison",
  discount: "Remise",
  tax: "Taxes",
  order: "Commande",
  view_product: "Voir le produit",
  recommended: "Cela pourrait vous plaire",
  unsubscribe: "Se désabonner",
  preferences: "Préférences",
  view_in_browser: "Voir dans le navigateur",
  there: "à vous",
};
