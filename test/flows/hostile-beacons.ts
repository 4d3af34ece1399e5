import type { Random } from "../helpers/random";
import * as wrong from "./wrong-values";
import { replaced, type Value, write } from "./wrong-values";

/** One hostile request and the answers that the contract has for it. */
export interface Case {
  name: string;
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string | ArrayBuffer;
  statuses: number[];
}

/** Whom the beacons speak of: a shop with a visitor who is there already. */
export interface Scene {
  domain: string;
  visitor: string;
  /** An event of the visitor that was taken before: sent again it changes nothing. */
  known: { id: string; type: string; at: number; url: string };
  browser: string;
}

type Wrong = [path: string, value: (random: Random) => Value, statuses?: number[]];

const MONEY: (at: string) => Wrong[] = (at) => [
  [at, (random) => random.pick<Value>([5, "42.00", [], true, wrong.odd(random)])],
  [`${at}.amount`, (random) => random.pick<Value>([1.5, 1e300, "4200", null, {}, [], true, wrong.odd(random)])],
  [`${at}.currency`, wrong.notCurrency],
];

/** A member of the beacon each, wrong in ways that its schema names. */
const ENVELOPE: Wrong[] = [
  ["shop", wrong.notText, [400]],
  ["shop", wrong.odd, [400, 404]],
  ["shop", (random) => `${random.int(1, 1e9)}.myshopify.com`, [404]],
  ["shop", (random) => random.pick<Value>([null, "", undefined])],
  ["visitor", (random) => random.pick<Value>([wrong.odd(random), wrong.notText(random), null, "", undefined])],
  ["events", (random) => random.pick<Value>([wrong.notList(random), null, [], undefined])],
  ["events", (random) => Array.from({ length: 501 }, () => ({ id: "e", type: "page_viewed", at: random.int(1, 9) }))],
  ["events.0", (random) => random.pick<Value>([null, 5, "x", [], true, {}])],
  ["consent", (random) => random.pick<Value>(["yes", 1, true, [], wrong.odd(random)])],
  ["consent.analytics", wrong.notBoolean],
  ["consent.marketing", wrong.notBoolean],
  ["sent", (random) => random.pick<Value>([0, -1, 1.5, "now", {}, [], true, wrong.odd(random)])],
  ["sent", () => 8e15, [204]],
  ["pixel", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(101)])],
];

const EVENT: Wrong[] = [
  [
    "events.0.id",
    (random) =>
      random.pick<Value>([
        `${wrong.odd(random)} `,
        wrong.notText(random),
        "",
        "a b",
        "x".repeat(65),
        "é",
        null,
        undefined,
      ]),
  ],
  [
    "events.0.type",
    (random) =>
      random.pick<Value>([
        wrong.odd(random),
        wrong.notText(random),
        "",
        "page_view",
        "PAGE_VIEWED",
        "custom:",
        `custom:${"x".repeat(65)}`,
        "custom:a b",
        null,
        undefined,
      ]),
  ],
  [
    "events.0.at",
    (random) => random.pick<Value>([0, -1, 1.5, 8.65e15, 1e300, "now", "2026-01-01", null, {}, [], true, undefined]),
  ],
  ["events.0.at", (random) => random.int(1, 1e12), [204]],
  ["events.0.url", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(8_001)])],
  ["events.0.title", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(2_001)])],
  ["events.0.referrer", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(8_001)])],
  ["events.0.data", (random) => random.pick<Value>(["x", 5, true, [], [{}], nested(70)])],
  ["events.0.data.a", wrong.deep],
];

const CART: Wrong[] = [
  ["events.0.data.token", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(201)])],
  ...MONEY("events.0.data.value"),
  ["events.0.data.lines", (random) => random.pick<Value>([wrong.notList(random), [null], [5], [[]]])],
  ["events.0.data.lines.0.quantity", (random) => random.pick<Value>([-1, 1.5, 1_000_001, "2", {}, [], true, null])],
  ["events.0.data.lines.0.productId", (random) => random.pick<Value>([-1, 1.5, {}, [], true, "x".repeat(101)])],
  ["events.0.data.lines.0.title", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(501)])],
  ...MONEY("events.0.data.lines.0.price"),
];

const IDENTIFIED: Wrong[] = [
  ["events.0.data.email", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(321)])],
  ["events.0.data.phone", (random) => random.pick<Value>([wrong.notText(random), "1".repeat(41)])],
  ["events.0.data.customerId", (random) => random.pick<Value>([-1, 1.5, {}, [], true, "x".repeat(101)])],
  [
    "events.0.data.signature",
    (random) => random.pick<Value>([wrong.notText(random), "zz", "A".repeat(64), wrong.odd(random)]),
  ],
  ["events.0.data.token", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(501)])],
  ["events.0.data.firstName", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(101)])],
  ["events.0.data.consent", (random) => random.pick<Value>(["yes", 1, true, [], { email: "yes" }, { sms: 1 }])],
];

const CHECKOUT: Wrong[] = [
  ["events.0.data.orderId", (random) => random.pick<Value>([-1, 1.5, {}, [], true, "x".repeat(101)])],
  ["events.0.data.cartToken", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(201)])],
  ["events.0.data.checkoutToken", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(201)])],
  ...MONEY("events.0.data.value"),
  ["events.0.data.email", (random) => random.pick<Value>([wrong.notText(random), "x".repeat(321)])],
];

/** A beacon that is right but for one member. */
export function oneWrongField(scene: Scene, random: Random): Case {
  const value = { amount: 4200, currency: "EUR" };
  const line = { productId: 1, title: "Mug", quantity: 2, price: value };
  const kinds = [
    { type: "page_viewed", data: { colour: "red" }, wrong: [...ENVELOPE, ...EVENT] },
    { type: "cart_updated", data: { token: "hostile", value, lines: [line] }, wrong: CART },
    { type: "identified", data: { email: "hostile@example.com", consent: { email: true } }, wrong: IDENTIFIED },
    { type: "checkout_completed", data: { orderId: "1", cartToken: "hostile", value }, wrong: CHECKOUT },
  ] as const;
  const { type, data, wrong: fields } = kinds[random.int(0, kinds.length - 1)] ?? kinds[0];
  const [path, make, statuses = [400]] = fields[random.int(0, fields.length - 1)] ?? ["shop", () => null];
  const event = { id: `h${random.int(1, 1e9)}`, type, at: Date.now(), url: "https://acme.example/hostile", data };
  const beacon = { shop: scene.domain, visitor: scene.visitor, consent: { analytics: true }, events: [event] };
  const body = write(replaced(beacon, path, make(random)));
  // The longest values are cut off by the size of a body before anything looks at them.
  return {
    ...post(scene, body),
    name: `beacon: ${path}`,
    statuses: body.length > 60_000 ? [...statuses, 413] : statuses,
  };
}

/** A beacon that is no beacon, or one that says nothing new in an odd way. */
export function broken(scene: Scene, random: Random): Case {
  const beacon = { shop: scene.domain, visitor: scene.visitor, consent: { analytics: true }, events: [scene.known] };
  const text = JSON.stringify(beacon);
  const cut = random.int(0, text.length - 1);
  const as = (name: string, body: string | ArrayBuffer, statuses: number[], headers: Record<string, string> = {}) => {
    const made = post(scene, body);
    return { ...made, name: `beacon: ${name}`, statuses, headers: { ...made.headers, ...headers } };
  };
  const kinds: [() => Case, ...(() => Case)[]] = [
    () => as("cut off", text.slice(0, cut), [400]),
    () => as("a byte turned", flipped(text, cut), [204, 400, 403, 404]),
    () =>
      as(
        "no JSON",
        random.pick(["", "{", "undefined", "NaN", "'x'", `${text}${text}`, "\ufeff{", wrong.odd(random)]),
        [400],
      ),
    () => as("other JSON", random.pick(["null", "5", '"x"', "[]", "[{}]", "true", "{}"]), [400]),
    () => as("no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xc0, random.int(128, 255), 0x22, 0x7d]).buffer, [400]),
    () => as("too large", write({ ...beacon, pad: "x".repeat(65_536 + random.int(0, 50_000)) }), [413]),
    () => as("deep", write({ ...beacon, pad: wrong.deep(random) }), [400, 413]),
    () =>
      as(
        "prototype keys",
        `{"__proto__":{"shop":"x","polluted":true},"constructor":{"prototype":{}},${text.slice(1)}`,
        [204],
      ),
    () =>
      as("the content type", text, [204], {
        "content-type": random.pick(["application/xml", "multipart/form-data", "x", "text/html"]),
      }),
    () =>
      as("odd headers", text, [204], {
        "cf-ipcountry": wrong
          .odd(random)
          .slice(0, 50)
          .replaceAll(/[^\x20-\x7e]/g, "?"),
        "cf-ipcity": "%FF%00",
        "sec-gpc": "2",
      }),
    () => as("a bot", text, [204], { "user-agent": random.pick(["Googlebot/2.1", "curl/8", ""]) }),
    () => as("a long user agent", text, [204], { "user-agent": `Mozilla/5.0 ${"(a".repeat(random.int(100, 4_000))}` }),
  ];
  return random.pick(kinds)();
}

function post(scene: Scene, body: string | ArrayBuffer): Case {
  const headers = { "content-type": "text/plain", "user-agent": scene.browser, "cf-connecting-ip": "203.0.113.9" };
  return { name: "beacon", path: "/ff", method: "POST", headers, body, statuses: [] };
}

function nested(depth: number): Value {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

/** Never a digit or letter of the visitor's or the event's id, which would name another visitor or a new event. */
function flipped(text: string, at: number): string {
  const safe = /[{}[\]:,"]/.test(text[at] ?? "") ? at : text.indexOf(":");
  return `${text.slice(0, safe)}${String.fromCharCode((text.charCodeAt(safe) ^ 1) & 127)}${text.slice(safe + 1)}`;
}
