import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { flushContact } from "../visitor/rest";
import { createContact } from "./create";
import { ContactDetailSchema, includeParts } from "./detail";
import { listContacts } from "./list";
import { contactFrom, readContact } from "./locate";
import { ContactPatch, ContactQuery, ContactSchema, IncludeParam, NewContact } from "./schemas";
import { showContact } from "./show";
import { restoreContact, trashContact } from "./trash";
import { updateContact } from "./update";

const tags = ["Contacts"];

export const contactRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts",
      tags,
      summary: "Contacts, newest first",
      description: "Filters add up. `deleted=true` lists the trash instead, by when contacts were put there.",
      request: { query: ContactQuery },
      responses: { 200: json(listOf(ContactSchema), "A page of contacts"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor, deleted, shop: _, shopify_customer_id: id, ...given } = c.req.valid("query");
      const filter = id === undefined ? given : { shopifyCustomerId: id, ...given };
      return c.json(await listContacts(await ctxFrom(c), filter, { limit, cursor, deleted }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts",
      tags,
      summary: "Add a contact",
      description:
        "With at least one of email, phone, shopifyCustomerId and externalId. 409 `duplicate_contact` with `contactId` " +
        "when a contact, also one in the trash, has one of them.",
      request: { body: body(NewContact), query: ShopQuery },
      responses: { 201: json(ContactSchema, "The contact"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createContact(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}",
      tags,
      summary: "A contact",
      description: "308 to the survivor when it was merged into another. `include` adds what belongs to it.",
      request: { params: IdParam, query: ShopQuery.extend({ include: IncludeParam }) },
      responses: {
        200: json(ContactDetailSchema, "The contact"),
        308: { description: "Merged: the survivor's address" },
        ...readProblems,
      },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      const { include } = c.req.valid("query");
      if (include.length > 0) await flushContact(ctx, key);
      const contact = showContact(await readContact(ctx, key), ctx.shop);
      return c.json({ ...contact, ...(await includeParts(ctx, { key, id: contact.id }, include)) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/contacts/{id}",
      tags,
      summary: "Change a contact",
      description:
        "Absent keys stay, null clears. What Shopify knows may be changed here too; its next change of the same field wins.",
      request: { params: IdParam, body: body(ContactPatch), query: ShopQuery },
      responses: { 200: json(ContactSchema, "The contact as it is now"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      return c.json(await updateContact(ctx, key, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/contacts/{id}",
      tags,
      summary: "Put a contact into the trash",
      description:
        "Its identities stay taken. It is erased after the shop's `trashRetentionDays`; until then restore undoes.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "In the trash" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, ...contact } = await contactFrom(c, c.req.valid("param").id);
      await trashContact(ctx, contact);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/restore",
      tags,
      summary: "Take a contact out of the trash",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ContactSchema, "The contact"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, ...contact } = await contactFrom(c, c.req.valid("param").id, "trash");
      await restoreContact(ctx, contact);
      return c.json(showContact(await readContact(ctx, contact.key), ctx.shop), 200);
    },
  );
