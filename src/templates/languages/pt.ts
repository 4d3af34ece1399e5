import type { Texts } from "./en";

export const pt: Texts = {
  return_to_checkout: "Voltar à finalização da compra",
  quantity: "Quantidade",
  total: "Total",
  subtotal: "Subtotal",
  shipping: "Envio",
  discount: "Desconto",
  tax: "Impostos",
  order: "Encomenda",
  view_product: "Ver produto",
  recommended: "Também pode gostar de",
  unsubscribe: "Cancelar subscrição",
  preferences: "Preferências",
  view_in_browser: "Ver no navegador",
  there: "aí",
};
