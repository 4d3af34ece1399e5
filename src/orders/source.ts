import type { OrderState } from "./state";
import type { Version } from "../contacts";

/** A line of an order as it is stored. */
export interface OrderItem {
  externalId: string | null;
  productId: string | null;
  variantId: string | null;
  sku: string | null;
  title: string;
  variantTitle: string | null;
  vendor: string | null;
  category: string | null;
  image: string | null;
  quantity: number;
  currentQuantity: number;
  /** One piece before and after discounts, minor units of the order's currency. */
  price: number;
  discountedPrice: number;
}

/** A line as its source describes it. An absent member was not told: what is stored of the same line stays. */
export type OrderItemSource = Partial<OrderItem> & Pick<OrderItem, "quantity" | "price">;

export interface RefundSource {
  externalId: string;
  orderExternalId: string;
  amount: number;
  currency: string;
  at: number;
  items: { lineId: string; quantity: number; amount: number }[];
}

/** An order as its source describes it. An absent member was not told: what is stored stays. */
export interface OrderSource {
  origin: "shopify" | "api";
  externalId: string;
  state?: OrderState;
  name?: string | null;
  financialStatus?: string | null;
  fulfillmentStatus?: string | null;
  cartToken?: string | null;
  checkoutToken?: string | null;
  currency: string;
  total: number;
  originalTotal: number;
  subtotal?: number | null;
  discount?: number | null;
  shipping?: number | null;
  tax?: number | null;
  presentmentCurrency?: string | null;
  presentmentTotal?: number | null;
  discountCodes?: string[];
  tags?: string[];
  shippingMethod?: string | null;
  sourceName?: string | null;
  /** Where and by whom it was sold at a point of sale. */
  locationId?: string | null;
  locationName?: string | null;
  staffId?: string | null;
  landingSite?: string | null;
  referringSite?: string | null;
  test: boolean;
  placedAt: number;
  cancelledAt?: number | null;
  fulfilledAt?: number | null;
  /** When all of it had arrived; the first time that is told stays. */
  deliveredAt?: number | null;
  items?: OrderItemSource[];
  refunds: RefundSource[];
  /** The tracker id that the cart carried. */
  tracker: string | null;
  version: Version;
  /**
   * Members that the body did not tell, so that others stand in for them: they begin a new order, and replace nothing
   * that is stored of one.
   */
  guessed?: (keyof OrderGuess)[];
}

/** What can be guessed of an order. */
export type OrderGuess = Pick<OrderSource, "state" | "total" | "subtotal" | "presentmentTotal" | "placedAt" | "test">;
