import type { Json } from "./dates";
import { type Clause, matchesOf, type Operation } from "./operation";
import { TextError } from "./problem";
import { numberOf, textOf } from "./values";

const WANTED = "a place is asked with MATCHES (coordinates = '52.52,13.4', distance_km = 50), NOT MATCHES or IS NULL";

const DISTANCES: Record<string, "km" | "mi"> = { distance_km: "km", distance_mi: "mi" };

/**
 * A condition on a place: within a distance of a point. Shopify's `customer_within_distance` says it likewise, with
 * latitude and longitude in one text.
 */
export function placeCondition(field: string, operation: Operation, at: number): Json {
  if (operation.op === "null") return { field, op: operation.is ? "not_set" : "is_set" };
  const matches = matchesOf(operation);
  if (!matches) throw new TextError(at, WANTED);
  const value: Record<string, number> = {};
  for (const parameter of matches.parameters) Object.assign(value, part(parameter));
  if (value["latitude"] === undefined) throw new TextError(at, `coordinates are missing: ${WANTED}`);
  return { field, op: matches.negative ? "not_within" : "within", value };
}

function part({ at, name, operation, operationAt }: Clause): Record<string, number> {
  if (operation.op !== "compare" || operation.sign !== "=") throw new TextError(operationAt, `${name} takes = here`);
  const distance = Object.hasOwn(DISTANCES, name) ? DISTANCES[name] : undefined;
  if (distance !== undefined) return { [distance]: numberOf(operation.value) };
  if (name !== "coordinates") throw new TextError(at, `${name} is neither coordinates nor distance_km nor distance_mi`);
  const [, latitude, longitude] =
    /^\s*(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(textOf(operation.value)) ?? [];
  if (latitude === undefined || longitude === undefined) {
    throw new TextError(operation.value.at, "latitude and longitude were expected here: '52.52,13.4'");
  }
  return { latitude: Number(latitude), longitude: Number(longitude) };
}

/** What `placeCondition` reads. */
export function printPlace(op: string, value: Record<string, unknown>): string {
  const distance = "km" in value ? `distance_km = ${Number(value["km"])}` : `distance_mi = ${Number(value["mi"])}`;
  const point = [value["latitude"], value["longitude"]].map((degrees) => decimal(Number(degrees))).join(",");
  return `${op === "within" ? "" : "NOT "}MATCHES (coordinates = '${point}', ${distance})`;
}

/** Degrees without an exponent; what is nearer to zero than a nanometre on the ground is zero. */
function decimal(degrees: number): string {
  return String(Math.abs(degrees) < 1e-6 ? 0 : degrees);
}
