/**
 * What bulk operations ask for, one query per resource. Each asks for what the webhook of that resource brings, so that
 * both are stored by one mapping.
 */

const MONEY = "shopMoney { amount currencyCode } presentmentMoney { amount currencyCode }";

const ADDRESS = `firstName lastName company address1 address2 city province country countryCodeV2 zip phone`;

const CUSTOMER = `id firstName lastName state taxExempt createdAt updatedAt
  defaultEmailAddress { emailAddress }
  defaultPhoneNumber { phoneNumber }
  defaultAddress { ${ADDRESS} }`;

/** Parts of an order that need a scope of their own; without it Shopify refuses the whole operation. */
export interface OrderParts {
  /** `read_locations`. */
  location: boolean;
  /** `read_users`, which only some plans grant. */
  staff: boolean;
}

export function customersQuery(filter: string): string {
  return `{
    customers(query: ${JSON.stringify(filter)}) {
      edges {
        node {
          id firstName lastName state taxExempt createdAt updatedAt tags numberOfOrders
          amountSpent { amount currencyCode }
          defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt }
          defaultPhoneNumber {
            phoneNumber
            smsMarketingConsent { state optInLevel updatedAt collectedFrom }
            whatsAppMarketingConsent { state optInLevel updatedAt collectedFrom }
          }
          defaultAddress { ${ADDRESS} }
        }
      }
    }
  }`;
}

export function ordersQuery(filter: string, parts: OrderParts): string {
  return `{
    orders(query: ${JSON.stringify(filter)}) {
      edges {
        node {
          id name test cartToken checkoutToken email phone customerAcceptsMarketing
          createdAt processedAt updatedAt cancelledAt cancelReason displayFinancialStatus displayFulfillmentStatus
          currencyCode presentmentCurrencyCode discountCodes tags sourceName
          totalPriceSet { ${MONEY} }
          currentTotalPriceSet { ${MONEY} }
          subtotalPriceSet { ${MONEY} }
          currentSubtotalPriceSet { ${MONEY} }
          totalDiscountsSet { ${MONEY} }
          totalTaxSet { ${MONEY} }
          totalShippingPriceSet { ${MONEY} }
          shippingLine { title }
          customAttributes { key value }
          customerJourneySummary { lastVisit { landingPage referrerUrl } }
          customer { ${CUSTOMER} }
          shippingAddress { ${ADDRESS} }
          billingAddress { ${ADDRESS} }
          fulfillments { createdAt updatedAt deliveredAt status displayStatus }
          refunds { id createdAt processedAt totalRefundedSet { ${MONEY} } }
          ${parts.location ? "retailLocation { id name }" : ""}
          ${parts.staff ? "staffMember { id }" : ""}
          lineItems {
            edges {
              node {
                id sku title name variantTitle vendor quantity currentQuantity
                product { id }
                variant { id }
                originalUnitPriceSet { ${MONEY} }
                discountAllocations { allocatedAmountSet { ${MONEY} } }
              }
            }
          }
        }
      }
    }
  }`;
}

export function productsQuery(filter: string): string {
  return `{
    products(query: ${JSON.stringify(filter)}) {
      edges {
        node {
          id title handle vendor productType status tags descriptionHtml createdAt updatedAt
          category { name }
          totalInventory tracksInventory
          priceRangeV2 { minVariantPrice { amount currencyCode } }
          media { edges { node { id mediaContentType ... on MediaImage { image { url } } } } }
          collections { edges { node { id title } } }
        }
      }
    }
  }`;
}

export function checkoutsQuery(filter: string): string {
  return `{
    abandonedCheckouts(query: ${JSON.stringify(filter)}) {
      edges {
        node {
          id name abandonedCheckoutUrl createdAt updatedAt completedAt
          customAttributes { key value }
          totalPriceSet { ${MONEY} }
          customer { ${CUSTOMER} }
          shippingAddress { ${ADDRESS} }
          billingAddress { ${ADDRESS} }
          lineItems {
            edges {
              node {
                id title sku quantity
                product { id vendor }
                variant { id }
                originalUnitPriceSet { ${MONEY} }
                discountedUnitPriceSet { ${MONEY} }
              }
            }
          }
        }
      }
    }
  }`;
}
