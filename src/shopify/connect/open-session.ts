import { AppError } from "../../errors";
import { getShopOrThrow } from "../../shops";
import { grantedOrThrow, keepConnection } from "./connect";
import type { Visit } from "./install";
import { readConnection } from "./read";
import { type Session, sessionOf } from "./session";
import { showConnection } from "./show";
import { systemCtx } from "./system-ctx";
import { requestToken } from "./token-endpoint";

/**
 * `POST /shopify/session` with a session token as bearer: connects the store by token exchange unless it is connected
 * and well, and answers with the connection. For an embedded app, at each start. Throws 401 for a token that is not
 * Shopify's, and 422 or 503 when Shopify does not exchange it.
 */
export async function openSession(request: Request, env: Env, visit: Visit): Promise<Response> {
  const token = /^Bearer +([\w.-]{1,4000})$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const session = await sessionOf(env, token, visit.now);
  if (!session) throw new AppError("unauthorized", "A session token of Shopify is required");
  if (!session.shop?.connected || (await readConnection(env.DB, session.shop.key))?.problem !== null) {
    await exchange(env, session, token, { ...visit, origin: new URL(request.url).origin });
  }
  const shop = await getShopOrThrow(env.DB, session.domain);
  return Response.json(await showConnection(env, shop), { headers: { "cache-control": "no-store" } });
}

async function exchange(
  env: Env,
  { domain, app }: Session,
  subject: string,
  visit: Visit & { origin: string },
): Promise<void> {
  const { clientId, isOwn } = app;
  const [clientSecret] = app.secrets;
  const grant = await requestToken(
    env,
    domain,
    {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      client_id: clientId,
      client_secret: clientSecret,
      subject_token: subject,
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      requested_token_type: "urn:shopify:params:oauth:token-type:offline-access-token",
      expiring: "1",
    },
    visit.now,
  );
  const { token, tokenExpiresAt, refreshToken, scopes } = grantedOrThrow(grant);
  const ctx = await systemCtx(env, domain, visit);
  const own = isOwn ? { clientId, clientSecret } : null;
  await keepConnection(
    ctx,
    { method: "token_exchange", app: own, clientId, token, tokenExpiresAt, refreshToken, scopes },
    visit.origin,
  );
}
