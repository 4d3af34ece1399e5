import type { Random } from "../helpers/random";

/** JSON text that no `JSON.stringify` would write, put in place of a value. */
export class Raw {
  constructor(readonly text: string) {}
}

export type Value = unknown;

const SQL = ["'; drop table contacts; --", "1 or 1=1", "x' union select key from api_keys --", '") or ("1"="1'];
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty"];

/** What is no text at all. */
export function notText(random: Random): Value {
  return random.pick<Value>([
    random.int(-5, 5),
    1.5,
    true,
    false,
    {},
    { a: 1 },
    [],
    ["x"],
    new Raw("1e999"),
    object(random),
  ]);
}

/** What is no list. */
export function notList(random: Random): Value {
  return random.pick<Value>(["x", "[]", random.int(0, 9), true, { 0: "x", length: 1 }, {}, object(random)]);
}

/** What is no object: an array is none. */
export function notObject(random: Random): Value {
  return random.pick<Value>(["x", "{}", random.int(0, 9), true, [], [{}], [null], odd(random)]);
}

export function notBoolean(random: Random): Value {
  return random.pick<Value>(["true", "false", "", 0, 1, {}, [], odd(random)]);
}

/** A text that fits no format. Never empty, since that is often as good as absent. */
export function odd(random: Random): string {
  return random.pick([
    random.pick(["'; drop table contacts; --", ...SQL]),
    random.pick(["__proto__", ...NAMES]),
    "\u0000\u0007\u001b[31m",
    "\ud800",
    "\udfff\ud800",
    "NaN",
    "Infinity",
    "-0x1F",
    "../../etc/passwd",
    "${7*7}{{7*7}}",
    "<script>alert(1)</script>",
    "\u202e\u200b",
    "x".repeat(random.pick([501, 5_000, 50_000])),
  ]);
}

/** Numbers that are no count, no size and no moment. */
export function notCount(random: Random): Value {
  return random.pick<Value>([
    -1,
    -random.int(2, 1e9),
    0.5,
    1e300,
    new Raw("1e999"),
    new Raw("-1e999"),
    new Raw("9".repeat(400)),
    "5",
    null,
    {},
    [],
    true,
    odd(random),
  ]);
}

/** What names no record of Shopify's. */
export function notId(random: Random): Value {
  return random.pick<Value>([
    -random.int(1, 1e9),
    1.5,
    1e30,
    new Raw("9".repeat(400)),
    "",
    " 12",
    "12abc",
    "gid://shopify/Order/",
    "gid://shopify/Order/x",
    "9".repeat(21),
    null,
    {},
    [],
    [1],
    true,
    odd(random),
  ]);
}

export function notMoment(random: Random): Value {
  return random.pick<Value>([
    0,
    1763800000000,
    "",
    "yesterday",
    "2026-13-45T99:99:99Z",
    "-000001-01-01T00:00:00Z",
    "+275761-01-01T00:00:00Z",
    {},
    [],
    true,
    odd(random),
  ]);
}

export function notDecimal(random: Random): Value {
  return random.pick<Value>([
    "",
    "abc",
    "1,00",
    "NaN",
    "Infinity",
    "1e5",
    " 12",
    "0x10",
    "9".repeat(40),
    "1.2.3",
    {},
    [],
    ["1.00"],
    true,
    new Raw("1e999"),
    odd(random),
  ]);
}

export function notCurrency(random: Random): Value {
  return random.pick<Value>(["eur", "EURO", "E", "", "€€€", "EU\u0000", 978, {}, [], ["EUR"], true, odd(random)]);
}

/** Nested so deep that a recursive reader would run out of stack. */
export function deep(random: Random): Raw {
  const depth = random.pick([500, 2_000, 10_000]);
  return random.chance(0.5)
    ? new Raw("[".repeat(depth) + "]".repeat(depth))
    : new Raw('{"a":'.repeat(depth) + "1" + "}".repeat(depth));
}

/** An object that tries to change every object. */
export function object(random: Random): Raw {
  const name = random.pick(["__proto__", "constructor", "prototype"]);
  return new Raw(`{"${name}":{"polluted":true,"isAdmin":true,"total":1}}`);
}

/** JSON with the raw texts in their places. */
export function write(value: Value): string {
  const raws: string[] = [];
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (!(inner instanceof Raw)) return inner;
    raws.push(inner.text);
    return `\u0001raw${raws.length - 1}\u0001`;
  });
  return text.replaceAll(/"\\u0001raw(\d+)\\u0001"/g, (_, index: string) => raws[Number(index)] ?? "null");
}

/** A copy of an object with the value at this path (`a.0.b`) replaced; undefined takes the key out. */
export function replaced(source: Value, path: string, value: Value): Value {
  const [head = "", ...rest] = path.split(".");
  const inner = (before: Value) => (rest.length === 0 ? value : replaced(before, rest.join("."), value));
  if (Array.isArray(source)) return source.map((item: unknown, index) => (index === Number(head) ? inner(item) : item));
  const entries = Object.entries(source ?? {}).filter(([key]) => key !== head);
  const before = Object.entries(source ?? {}).find(([key]) => key === head)?.[1];
  const after = inner(before);
  return Object.fromEntries(after === undefined ? entries : [...entries, [head, after]]);
}
