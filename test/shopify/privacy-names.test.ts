import { describe, expect, test } from "vitest";

import { type Names, namesPerson, NOBODY } from "../../src/shopify";
import { phoneDigits } from "../../src/shopify/privacy/names";
import { mapBody, UnusableBody } from "../../src/shopify/map";

const of = (names: Partial<Names>): Names => ({ ...NOBODY, ...names });

describe("whom a text names", () => {
  test.each([
    ['{"email":"anna@x.example"}', "anna@x.example", true],
    ['{"email":"ANNA@X.EXAMPLE"}', "anna@x.example", true],
    ['{"email":"susanna@x.example"}', "anna@x.example", false],
    ['{"email":"anna@x.example.org"}', "anna@x.example", true],
    ['{"email":"anna+shop@x.example"}', "anna@x.example", false],
    [String.raw`{"email":"anna\u0040x.example"}`, "anna@x.example", true],
    [String.raw`{"em\u0061il":"\u0041nn\u0061@x.example"}`, "anna@x.example", true],
    ['{"landing_site":"/?email=anna%40x.example&a=%zz"}', "anna@x.example", true],
    ['{"notes":[{"deep":["write to anna@x.example, please"]}]}', "anna@x.example", true],
    ['{"anna@x.example":1}', "anna@x.example", true],
    ['{"email":"j\u00fcrgen@x.example"}', "ju\u0308rgen@x.example".normalize("NFC"), true],
    ['{"email":"ju\u0308rgen@x.example"}', "j\u00fcrgen@x.example", true],
    ["not JSON: anna@x.example", "anna@x.example", true],
  ])("%s names %s: %s", (text, email, expected) => {
    expect(namesPerson(text, of({ emails: [email] }))).toBe(expected);
  });

  test.each([
    ['{"id":12345}', "customers/update", true],
    ['{"id":12345}', "products/update", false],
    ['{"id":123456}', "customers/update", false],
    ['{"customer":{"id":12345}}', "orders/create", true],
    ['{"customer_id":12345}', "x/y", true],
    ['{"customerId":"gid://shopify/Customer/12345"}', "customer.tags_added", true],
    ['{"admin_graphql_api_id":"gid://shopify/Customer/12345"}', "x/y", true],
    ['{"admin_graphql_api_id":"gid://shopify/Product/12345"}', "x/y", false],
    ['{"total_price":"12345","order_number":12345}', "orders/create", false],
  ])("%s of %s names customer 12345: %s", (text, topic, expected) => {
    expect(namesPerson(text, of({ customers: ["12345"] }), topic)).toBe(expected);
  });

  test("an id long enough to be no other number is found wherever it stands, with all its digits", () => {
    const names = of({ customers: ["7000000000123"], orders: ["820982911946154508"] });
    expect(namesPerson('{"owner_id":7000000000123}', names)).toBe(true);
    expect(namesPerson('{"owner_id":70000000001234}', names)).toBe(false);
    expect(namesPerson('{"order_id":820982911946154508}', names)).toBe(true);
    expect(namesPerson('{"order_id":820982911946154500}', names)).toBe(false);
    expect(namesPerson('{"orders_to_redact":[4,17]}', of({ orders: ["17"] }))).toBe(true);
    expect(namesPerson('{"lines":[4,17]}', of({ orders: ["17"] }))).toBe(false);
  });

  test.each([
    ["+49 30 123 45 67", true],
    ["030/1234567", true],
    ["0049-30-1234567", true],
    ["+49 (0)30 1234567", true],
    ["call 301234567 after six", true],
    ["+49301234568", false],
    ["9301234567890", false],
    ["1234567", false],
  ])("%s is +49301234567: %s", (text, expected) => {
    expect(namesPerson(JSON.stringify({ note: text }), of({ phones: ["49301234567"] }))).toBe(expected);
  });

  test("a number without its country is found with one, and too short a number is none", () => {
    expect(phoneDigits("555-625-1199")).toBe("5556251199");
    expect(namesPerson('{"phone":"+1 555 625 1199"}', of({ phones: ["5556251199"] }))).toBe(true);
    expect(phoneDigits("110")).toBeNull();
  });

  test("keys count as whole words, whatever ends them", () => {
    const names = of({ keys: ["c1-abc", "z2nw:lx/=="] });
    expect(namesPerson('{"token":"C1-abc?key=9"}', names)).toBe(true);
    expect(namesPerson('{"token":"c1-abcd"}', names)).toBe(false);
    expect(namesPerson('{"token":"Z2nw:LX/=="}', names)).toBe(true);
  });
});

describe("requests of the privacy law", () => {
  const context = { currency: "EUR", domain: "a.myshopify.com", keepQueryParams: [], triggeredAt: 1, receivedAt: 1 };
  const map = (topic: string, body: unknown) => mapBody(topic, JSON.stringify(body), context);

  test("the customer may be told by anything", () => {
    const body = { shop_id: 1, shop_domain: "A.myshopify.com", customer: { email: " Anna@X.example" } };
    expect(map("customers/redact", body)).toMatchObject({
      request: { kind: "customer_redact", customer: { id: null, email: "anna@x.example", phone: null }, orders: [] },
    });
    expect(map("customers/data_request", { ...body, customer: { id: 5 }, orders_requested: [7] })).toMatchObject({
      request: { kind: "data_request", customer: { id: "5", email: null }, orders: ["7"] },
    });
    expect(map("customers/redact", { ...body, customer: null, orders_to_redact: [9] })).toMatchObject({
      request: { customer: { id: null }, orders: ["9"] },
    });
  });

  test.each([
    ["another shop", { shop_domain: "b.myshopify.com", customer: { id: 5 } }],
    ["no shop", { customer: { id: 5 } }],
    ["nobody", { shop_domain: "a.myshopify.com", customer: {} }],
    ["an id that is none", { shop_domain: "a.myshopify.com", customer: { id: "x" } }],
  ])("a body that names %s is unusable", (_, body) => {
    expect(() => map("customers/redact", body)).toThrow(UnusableBody);
  });
});
