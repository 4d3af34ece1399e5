import { type Args, type Listing, listOf, listTable, type Source } from "./listing.ts";
import { decimalOf } from "./money.ts";
import type { CollectionRecord, ProductRecord } from "./records.ts";
import type { SearchFields } from "./search.ts";
import { gid, parseGid, stampOf } from "./stamps.ts";
import type { AdminStore } from "./store.ts";
import { Table } from "./table.ts";

export const searchProducts: SearchFields<ProductRecord> = {
  id: (product) => product.id,
  title: (product) => product.title,
  handle: (product) => product.handle,
  vendor: (product) => product.vendor,
  product_type: (product) => product.productType,
  status: (product) => product.status,
  tag: (product) => product.tags,
  sku: (product) => product.variants.flatMap(({ sku }) => (sku === null ? [] : [sku])),
  created_at: (product) => ({ time: product.createdAt }),
  published_at: (product) => ({ time: product.createdAt }),
  updated_at: (product) => ({ time: product.updatedAt }),
};

export function listProducts(store: AdminStore, args: Args): Listing {
  return listTable(store.records().products, args, searchProducts, store.nodes.product);
}

type Variant = ProductRecord["variants"][number];

export function imageNode(image: { id: number; url: string; alt: string | null }): Source {
  return {
    __typename: "Image",
    id: gid("ProductImage", image.id),
    url: image.url,
    src: image.url,
    originalSrc: image.url,
    transformedSrc: image.url,
    altText: image.alt,
    width: 1000,
    height: 1000,
    thumbhash: null,
  };
}

function mediaNode(product: ProductRecord, image: ProductRecord["images"][number]): Source {
  return {
    __typename: "MediaImage",
    id: gid("MediaImage", image.id),
    alt: image.alt,
    mediaContentType: "IMAGE",
    mimeType: "image/jpeg",
    status: "READY",
    fileStatus: "READY",
    createdAt: stampOf(product.createdAt),
    updatedAt: stampOf(product.updatedAt),
    image: imageNode(image),
    preview: { status: "READY", image: imageNode(image) },
    mediaErrors: [],
    mediaWarnings: [],
    fileErrors: [],
  };
}

export function variantNode(store: AdminStore, product: ProductRecord, variant: Variant): Source {
  const money = (amount: number): string => decimalOf(amount, store.currency);
  return {
    __typename: "ProductVariant",
    id: gid("ProductVariant", variant.id),
    legacyResourceId: String(variant.id),
    title: variant.title,
    displayName: `${product.title} - ${variant.title}`,
    sku: variant.sku,
    barcode: variant.barcode,
    price: money(variant.price),
    compareAtPrice: variant.compareAt === null ? null : money(variant.compareAt),
    position: product.variants.indexOf(variant) + 1,
    inventoryQuantity: variant.inventory,
    sellableOnlineQuantity: variant.inventory,
    inventoryPolicy: "CONTINUE",
    availableForSale: true,
    taxable: true,
    requiresComponents: false,
    showUnitPrice: false,
    selectedOptions: [{ name: product.optionName, value: variant.title, optionValue: null }],
    image: null,
    createdAt: stampOf(product.createdAt),
    updatedAt: stampOf(product.updatedAt),
    product: () => productNode(store, product),
    inventoryItem: () => ({
      __typename: "InventoryItem",
      id: gid("InventoryItem", variant.id + 11),
      tracked: true,
      sku: variant.sku,
      requiresShipping: true,
    }),
    metafield: null,
    metafields: listOf([]),
  };
}

/** A product as the schema has it. */
export function productNode(store: AdminStore, product: ProductRecord): Source {
  const prices = product.variants.map(({ price }) => price);
  const range = (amount: number): Source => ({
    amount: decimalOf(amount, store.currency),
    currencyCode: store.currency,
  });
  const images = (): Source[] => product.images.map(imageNode);
  const [first] = product.images;
  return {
    __typename: "Product",
    id: gid("Product", product.id),
    legacyResourceId: String(product.id),
    title: product.title,
    handle: product.handle,
    description: product.description,
    descriptionHtml: `<p>${product.description}</p>`,
    bodyHtml: `<p>${product.description}</p>`,
    vendor: product.vendor,
    productType: product.productType,
    tags: product.tags,
    status: product.status,
    category: () =>
      product.category === null
        ? null
        : {
            __typename: "TaxonomyCategory",
            ...product.category,
            isLeaf: true,
            isRoot: false,
            isArchived: false,
            level: 2,
          },
    createdAt: stampOf(product.createdAt),
    updatedAt: stampOf(product.updatedAt),
    publishedAt: product.status === "ACTIVE" ? stampOf(product.createdAt) : null,
    templateSuffix: null,
    isGiftCard: false,
    hasOnlyDefaultVariant: product.variants.length === 1,
    hasOutOfStockVariants: product.variants.some(({ inventory }) => inventory <= 0),
    hasVariantsThatRequiresComponents: false,
    requiresSellingPlan: false,
    tracksInventory: true,
    totalInventory: product.variants.reduce((sum, { inventory }) => sum + inventory, 0),
    totalVariants: product.variants.length,
    variantsCount: { count: product.variants.length, precision: "EXACT" },
    onlineStoreUrl: () => `https://${store.domain}/products/${product.handle}`,
    onlineStorePreviewUrl: () => `https://${store.domain}/products/${product.handle}`,
    featuredImage: () => (first === undefined ? null : imageNode(first)),
    featuredMedia: () => (first === undefined ? null : mediaNode(product, first)),
    images: () => listOf(images()),
    media: () => listOf(product.images.map((image) => mediaNode(product, image))),
    mediaCount: { count: product.images.length, precision: "EXACT" },
    priceRangeV2: () => ({ minVariantPrice: range(Math.min(...prices)), maxVariantPrice: range(Math.max(...prices)) }),
    options: () => [
      {
        __typename: "ProductOption",
        id: gid("ProductOption", product.id + 3),
        name: product.optionName,
        position: 1,
        values: product.variants.map(({ title }) => title),
      },
    ],
    variants: () => listOf(product.variants.map((variant) => store.nodes.variant(product, variant))),
    collections: () =>
      listOf(
        [...store.records().collections]
          .filter(({ productIds }) => productIds.includes(product.id))
          .map((collection) => collectionNode(store, collection)),
      ),
    inCollection: (args: Args) =>
      store
        .records()
        .collections.get(parseGid(args["id"])?.id ?? 0)
        ?.productIds.includes(product.id) ?? false,
    seo: { title: null, description: null },
    metafield: null,
    metafields: listOf([]),
  };
}

export const searchCollections: SearchFields<CollectionRecord> = {
  id: (collection) => collection.id,
  title: (collection) => collection.title,
  handle: (collection) => collection.handle,
  updated_at: (collection) => ({ time: collection.updatedAt }),
};

export function listCollections(store: AdminStore, args: Args): Listing {
  return listTable(store.records().collections, args, searchCollections, (one) => collectionNode(store, one));
}

export function collectionNode(store: AdminStore, collection: CollectionRecord): Source {
  const products = (): ProductRecord[] =>
    collection.productIds.map((id) => store.records().products.get(id)).filter((one) => one !== undefined);
  return {
    __typename: "Collection",
    id: gid("Collection", collection.id),
    legacyResourceId: String(collection.id),
    title: collection.title,
    handle: collection.handle,
    description: collection.description,
    descriptionHtml: `<p>${collection.description}</p>`,
    updatedAt: stampOf(collection.updatedAt),
    sortOrder: "MANUAL",
    templateSuffix: null,
    ruleSet: null,
    image: () =>
      collection.image === null
        ? null
        : imageNode({ id: collection.id + 1, url: collection.image, alt: collection.title }),
    productsCount: { count: collection.productIds.length, precision: "EXACT" },
    products: (args: Args) => listTable(Table.of(products()), { ...args, sortKey: "ID" }, {}, store.nodes.product),
    hasProduct: (args: Args) => collection.productIds.includes(parseGid(args["id"])?.id ?? 0),
    seo: { title: null, description: null },
    metafield: null,
    metafields: listOf([]),
  };
}
