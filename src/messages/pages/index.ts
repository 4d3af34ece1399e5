import { textsFor } from "../texts";
import type { LinkPurpose } from "../links";
import { askToConfirm, confirm } from "./confirm";
import { openLink } from "./delivery";
import { page, paragraph } from "./page";
import { savePreferences, showPreferences } from "./preferences";
import { follow, openPixel } from "./touch";
import { askToUnsubscribe, unsubscribe } from "./unsubscribe";
import { view } from "./view";

const PURPOSES: Record<string, LinkPurpose> = {
  c: "click",
  o: "open",
  v: "view",
  u: "unsubscribe",
  p: "preferences",
  k: "confirm",
};

/** Forms of ours are short; what is longer is none. */
const LONGEST_BODY = 20_000;

/**
 * The pages that links in messages lead to: `/m/<purpose>/<token>`. They need no cookie and no sign-in, and a GET or
 * HEAD changes nothing that a person would miss: at most it writes down an opening or a click.
 */
export async function publicPage(request: Request, env: Env, now: number): Promise<Response> {
  const [, , short = "", token = ""] = new URL(request.url).pathname.split("/");
  const purpose = PURPOSES[short];
  const isForm = purpose === "unsubscribe" || purpose === "preferences" || purpose === "confirm";
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (purpose !== undefined && !isRead && !(isForm && request.method === "POST")) {
    return new Response(null, { status: 405, headers: { allow: isForm ? "GET, HEAD, POST" : "GET, HEAD" } });
  }
  const opened = purpose === undefined ? null : await openLink(env, purpose, token);
  if (purpose === "open") return openPixel(env, request, opened, now);
  if (!opened) {
    const texts = textsFor(request.headers.get("accept-language"));
    return page(texts, "404", paragraph(texts.pages.expired), 404);
  }
  if (purpose === "click") return follow(env, request, opened, now);
  if (purpose === "view") return view(env, request, opened, now);
  if (request.method !== "POST") {
    if (purpose === "unsubscribe") return askToUnsubscribe(opened);
    return purpose === "confirm" ? askToConfirm(opened, now) : showPreferences(env, opened);
  }
  const body = await readForm(request);
  if (body === null) return new Response(null, { status: 400 });
  if (purpose === "unsubscribe") return unsubscribe(env, opened, body, now);
  return purpose === "confirm" ? confirm(env, opened, body, now) : savePreferences(env, opened, body, now);
}

/** The form of a request, by either encoding; null for what is none. */
async function readForm(request: Request): Promise<FormData | null> {
  if (Number(request.headers.get("content-length") ?? 0) > LONGEST_BODY) return null;
  try {
    return await request.formData();
  } catch {
    return null;
  }
}
