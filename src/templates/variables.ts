/** A value that templates may print; `needs` names what the message must be about. */
interface Variable {
  name: string;
  label: string;
  needs: "cart" | "order" | "products" | null;
}

const of = (needs: Variable["needs"], root: string, names: [string, string][]): Variable[] =>
  names.map(([name, label]) => ({ name: `${root}.${name}`, label, needs }));

const LINE: [string, string][] = [
  ["title", "Title"],
  ["variant_title", "Variant"],
  ["quantity", "Quantity"],
  ["price", "Price of one"],
  ["line_total", "Price of all"],
  ["original_line_total", "Price of all before a discount; absent without one"],
  ["image", "Picture"],
  ["url", "Address of the product"],
  ["description", "Description"],
  ["sku", "SKU"],
  ["vendor", "Vendor"],
  ["category", "Category"],
];

const PRODUCT: [string, string][] = [
  ["title", "Title"],
  ["price", "Price"],
  ["image", "Picture"],
  ["url", "Address"],
  ["description", "Description"],
  ["vendor", "Vendor"],
  ["category", "Category"],
];

/** Everything that a template may name. Lines and products are reached by a loop. */
export const VARIABLES: Variable[] = [
  ...of(null, "contact", [
    ["first_name", "First name"],
    ["last_name", "Last name"],
    ["full_name", "Full name"],
    ["email", "E-mail"],
    ["phone", "Phone"],
    ["company", "Company"],
    ["city", "City"],
    ["province", "Province"],
    ["country", "Country"],
    ["zip", "Postal code"],
    ["tags", "Tags, a list"],
    ["score", "Score"],
    ["stage", "Lifecycle stage"],
    ["orders_count", "Number of orders"],
    ["total_spent", "Revenue"],
    ["favourite_category", "Category bought most often"],
    ["fields", "Custom fields: contact.fields.name"],
  ]),
  ...of("cart", "cart", [
    ["items", "Lines"],
    ["value", "Value"],
    ["count", "Number of pieces"],
    ["url", "Address that brings the cart back on any device"],
  ]),
  ...of("order", "order", [
    ["name", "Name, such as #1001"],
    ["placed_at", "When it was placed; use the date filter"],
    ["items", "Lines"],
    ["subtotal", "Subtotal"],
    ["discount", "Discount"],
    ["shipping", "Shipping"],
    ["tax", "Tax"],
    ["total", "Total"],
    ["shipping_method", "Shipping method"],
    ["discount_codes", "Discount codes, a list"],
    ["state", "State"],
  ]),
  { name: "products", label: "Products that the message is about", needs: "products" },
  { name: "recommendations", label: "Recommended products", needs: null },
  ...of(null, "shop", [
    ["name", "Name"],
    ["url", "Address"],
    ["domain", "Domain"],
    ["currency", "Currency"],
  ]),
  ...of(null, "sender", [
    ["name", "Sender's name"],
    ["email", "Sender's address"],
    ["address", "Postal address, a list of lines"],
  ]),
  { name: "unsubscribe_url", label: "Link to leave", needs: null },
  { name: "preferences_url", label: "Link to the preferences", needs: null },
  { name: "view_url", label: "Link to the message in a browser", needs: null },
];

const OTHER_ROOTS = ["text", "forloop", "tablerowloop"];

/** Names that stand first. */
export const ROOTS = [...new Set([...VARIABLES.map(({ name }) => name.split(".")[0] ?? name), ...OTHER_ROOTS])];

const LISTED = new Map([
  ["cart.items", LINE],
  ["order.items", LINE],
  ["products", PRODUCT],
  ["recommendations", PRODUCT],
]);

const MONEY = new Set(["amount", "cents", "currency"]);
const OF_LISTS = new Set(["size", "first", "last"]);

/** What a line of a list holds, for the catalogue. */
export function membersOf(list: string): [string, string][] {
  return LISTED.get(list) ?? [];
}

/** Whether there is a value of this name: a known one, a custom field, or a part of an amount or a list. */
export function isVariable(path: string): boolean {
  if (path.startsWith("contact.fields") || path.startsWith("text.")) return true;
  const known = VARIABLES.find(
    ({ name }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`),
  );
  if (!known) return VARIABLES.some(({ name }) => name.startsWith(`${path}.`));
  const rest = path
    .slice(known.name.length)
    .split(/[.[\]]/)
    .filter(Boolean);
  const [first] = rest;
  if (first === undefined || MONEY.has(first) || OF_LISTS.has(first)) return true;
  return membersOf(known.name).some(([name]) => rest.includes(name));
}
