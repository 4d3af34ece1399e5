import { createRoute } from "@hono/zod-openapi";

import { ctxFrom, json, listOf, readProblems, router } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { AppError } from "../errors";
import { findProduct, listProducts } from "./read";
import { ProductSchema } from "./schemas";

export const productRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/products",
      tags: ["Products"],
      summary: "Products, by id",
      request: { query: PageQuery },
      responses: { 200: json(listOf(ProductSchema), "A page of products"), ...readProblems },
    }),
    async (c) => c.json(await listProducts(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/products/{id}",
      tags: ["Products"],
      summary: "A product, by its id in the store",
      description: "Ids are the store's own, so the operator token needs `?shop=`.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ProductSchema, "The product"), ...readProblems },
    }),
    async (c) => {
      const product = await findProduct(await ctxFrom(c), c.req.valid("param").id);
      if (!product) throw new AppError("not_found");
      return c.json(product, 200);
    },
  );
