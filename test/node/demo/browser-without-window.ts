import { z } from "zod";

const object = z.record(z.string(), z.unknown());

/** A shopper's browser as far as HTTP goes: cookies, forms, the Ajax API. */
export type Shopper = {
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  ajax(path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Posts a form; `location` is where the store leads on. */
  form(path: string, fields: Record<string, string>): Promise<{ status: number; location: string; text: string }>;
};

export function shopperAt(url: string): Shopper {
  const cookies = new Map<string, string>();
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const answer = await fetch(`${url}${path}`, { ...init, headers, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      if (cookie.includes("Max-Age=0")) cookies.delete(pair.slice(0, at));
      else cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  };
  return {
    cookies,
    get: async (path, headers = {}) => {
      const answer = await send(path, { headers });
      return { status: answer.status, text: await answer.text() };
    },
    ajax: async (path, body) => {
      const answer = await send(
        path,
        body === undefined
          ? {}
          : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
      );
      return { status: answer.status, body: object.parse(await answer.json()) };
    },
    form: async (path, fields) => {
      const answer = await send(path, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields).toString(),
      });
      return { status: answer.status, location: answer.headers.get("location") ?? "", text: await answer.text() };
    },
  };
}

export type Purchase = {
  email: string;
  phone?: string;
  variants?: { id: number; quantity: number }[];
  country?: string;
  marketing?: boolean;
  discount?: string;
  method?: "card" | "bank";
  attributes?: Record<string, string>;
};

export const MUG_OAT = 44_871_203_946_752;
export const THROW_CLAY = MUG_OAT + 262_144;

/** Buys as a shopper does, step by step. Resolves to the address of the thank-you page, seen once. */
export async function buy(shopper: Shopper, purchase: Purchase): Promise<string> {
  if (purchase.country !== undefined) await shopper.form("/localization", { country_code: purchase.country });
  for (const variant of purchase.variants ?? [{ id: MUG_OAT, quantity: 1 }])
    await shopper.ajax("/cart/add.js", variant);
  if (purchase.attributes) await shopper.ajax("/cart/update.js", { attributes: purchase.attributes });
  const information = (await shopper.form("/checkout", {})).location;
  await shopper.get(information);
  const base = information.replace(/information$/, "");
  await shopper.form(information, {
    email: purchase.email,
    phone: purchase.phone ?? "",
    ...(purchase.marketing === true ? { marketing: "1" } : {}),
    country: purchase.country ?? "DE",
    firstName: "Mia",
    lastName: "Berg",
    address1: "Torstraße 5",
    zip: "10119",
    city: "Berlin",
    province: "Berlin",
    provinceCode: "BE",
  });
  await shopper.form(`${base}shipping`, { rate: "standard" });
  if (purchase.discount !== undefined)
    await shopper.form(`${base}discount`, { code: purchase.discount, step: "payment" });
  const thanks = (await shopper.form(`${base}payment`, { method: purchase.method ?? "card", number: "1" })).location;
  await shopper.get(thanks);
  return thanks;
}
