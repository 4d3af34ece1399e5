import type { Random } from "../helpers/random";
import type { Case } from "./hostile-beacons";
import * as wrong from "./wrong-values";
import { replaced, type Value, write } from "./wrong-values";

/** What a key of one shop can name, and what it must not be able to. */
export interface Records {
  key: string;
  contact: string;
  visitor: string;
  /** Records of another shop. */
  foreign: { shop: string; contact: string; order: string; cart: string; visitor: string };
}

type Wrong = [path: string, value: (random: Random) => Value];

const CONTACT: Wrong[] = [
  ["email", (random) => random.pick<Value>([wrong.notText(random), "x", "a@b", "x".repeat(321)])],
  ["phone", (random) => random.pick<Value>([wrong.notText(random), "", "x".repeat(41)])],
  ["firstName", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(256)])],
  ["address", (random) => random.pick<Value>(["x", 5, true, [], { street: "x" }])],
  ["address.city", wrong.notText],
  ["shopifyCustomerId", (random) => random.pick<Value>([wrong.notText(random), "x", "-1", "9".repeat(21)])],
  ["tags", (random) => random.pick<Value>([wrong.notList(random), [5], [null], [{}]])],
  ["lifecycle", (random) => random.pick<Value>(["x", 5, [], { stage: "A B" }, { status: "x" }])],
  [
    "consents",
    (random) => random.pick<Value>(["x", 5, [], { fax: {} }, { email: "subscribed" }, { email: { state: "x" } }]),
  ],
  ["fields", (random) => random.pick<Value>(["x", 5, [], [{}]])],
  ["score", (random) => random.pick<Value>([1.5, 1e300, "5", {}, [], true])],
  ["shop", () => "someone-else.myshopify.com"],
  ["unknown", wrong.odd],
];

const EVENT: Wrong[] = [
  ["events", (random) => random.pick<Value>([wrong.notList(random), null, [], [null], [5]])],
  ["events.0.type", (random) => random.pick<Value>([wrong.notText(random), wrong.odd(random), null, undefined])],
  ["events.0.at", (random) => random.pick<Value>([0, -1, 1.5, 1e300, "yesterday", {}, []])],
  ["events.0.visitorId", (random) => random.pick<Value>([wrong.notText(random), wrong.odd(random)])],
  ["events.0.data", (random) => random.pick<Value>(["x", 5, [], true])],
  ["events.0.id", (random) => random.pick<Value>([wrong.notText(random), "a b", "x".repeat(65)])],
];

/** A request with a valid key that must change nothing. */
export function oddRequest(records: Records, random: Random): Case {
  const headers = {
    authorization: `Bearer ${records.key}`,
    "content-type": "application/json",
    "cf-connecting-ip": "203.0.113.9",
  };
  const as = (
    method: string,
    path: string,
    body: string,
    statuses: number[],
    more: Record<string, string> = {},
  ): Case => ({
    name: `${method} ${path.slice(0, 60)}`,
    path,
    method,
    headers: { ...headers, ...more },
    body,
    statuses,
  });
  const word = encodeURIComponent(wrong.odd(random).slice(0, 300).toWellFormed());
  const { foreign, contact } = records;
  const member = (fields: Wrong[], base: Value) => {
    const [path, make] = fields[random.int(0, fields.length - 1)] ?? ["shop", wrong.odd];
    return write(replaced(base, path, make(random)));
  };
  const event = { type: "custom:hostile", visitorId: records.visitor };
  const kinds: [() => Case, ...(() => Case)[]] = [
    () =>
      as(
        "PATCH",
        `/v1/contacts/${contact}`,
        member(
          CONTACT.filter(([path]) => path !== "shop"),
          { lastName: "Hostile" },
        ),
        [400],
      ),
    () => as("POST", "/v1/contacts", member(CONTACT, { email: `h${random.int(1, 1e9)}@example.com` }), [400, 403, 404]),
    () => as("POST", "/v1/events", member(EVENT, { events: [event] }), [400]),
    () =>
      as(
        "POST",
        "/v1/contacts",
        random.pick(["", "{", "null", "[]", "5", `{"email":`, wrong.deep(random).text]),
        [400, 413],
      ),
    () => as("POST", "/v1/contacts", "email=x@example.com", [415], { "content-type": "text/plain" }),
    () => as("PATCH", `/v1/contacts/${foreign.contact}`, `{"lastName":"Hostile"}`, [404]),
    () => as("DELETE", `/v1/contacts/${foreign.contact}`, "", [404]),
    () => as("POST", `/v1/contacts/${contact}/merge`, JSON.stringify({ from: foreign.contact }), [404]),
    () => as("POST", `/v1/contacts/${foreign.contact}/erase`, "{}", [404]),
    () =>
      as(
        "GET",
        `/v1/${random.pick([`contacts/${foreign.contact}`, `orders/${foreign.order}`, `carts/${foreign.cart}`, `visitors/${foreign.visitor}`])}`,
        "",
        [404],
      ),
    () => as("PATCH", `/v1/shops/${foreign.shop}`, `{"name":"Hostile"}`, [403, 404]),
    () => as("POST", "/v1/shops", `{"domain":"hostile.myshopify.com"}`, [403]),
    () => as("GET", `/v1/${random.pick(["contacts", "orders", "carts", "visitors"])}/${word}`, "", [400, 404]),
    () => as("GET", `/v1/${random.pick(["contacts", "orders", "carts", "visitors"])}?cursor=${word}`, "", [400]),
    () =>
      as(
        "GET",
        `/v1/contacts?limit=${random.pick(["0", "-1", "251", "1e3", "x", "NaN", "99999999999999999999"])}`,
        "",
        [400],
      ),
    () =>
      as("GET", "/v1/contacts", "", [401], {
        authorization: random.pick(["", "Bearer", "Bearer x", `Basic ${records.key}`, `Bearer ${records.key}x`]),
      }),
  ];
  return random.pick(kinds)();
}
