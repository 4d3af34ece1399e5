export { type ProductFacts, productFacts } from "./facts";
export { deleteProduct, type ProductSource, upsertProduct } from "./upsert";
