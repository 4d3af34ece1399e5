import { config } from "../../config";
import { sql } from "../../db/client";
import { logFailure } from "../../lib/log";
import type { Shop } from "../../shops";
import { AdminError, FROZEN_RETRY_MS, UNREACHABLE_RETRY_MS } from "./errors";
import { judge, type Verdict } from "./judge";
import { type AdminQuery, API_VERSION, type Variables } from "./query";
import type { TokenAnswer } from "./token";

const TIMEOUT_MS = 20_000;

/** How long a throttled question may wait altogether before its caller is told to come back, ms. */
const MOST_WAIT_MS = 10_000;

/** The store whose Admin API is asked. */
export type Store = Pick<Shop, "key" | "domain">;

/**
 * Asks a connected store's Admin API. Renews a refused token once, waits a little while Shopify throttles, asks a
 * question (never a mutation) again once when Shopify gave no answer. Throws `AdminError`; that a token is refused, the
 * store frozen or silent is also kept as the connection's problem, until it answers.
 */
export async function adminQuery<T>(
  env: Env,
  store: Store,
  query: AdminQuery<T>,
  variables: Variables = {},
): Promise<T> {
  const connection = env.CONNECTION.getByName(String(store.key));
  const held = await connection.accessToken();
  let token = await tokenOf(env, store, held);
  let waited = 0;
  let hasRenewed = false;
  let mayRepeat = /^\s*(?:query\b|\{)/.test(query.text);
  for (;;) {
    const verdict = await ask(env, store, token, query, variables);
    if (verdict.kind === "answered") {
      if ("token" in held && held.isTroubled) await endProblem(env, store);
      return read(query, verdict.data);
    }
    const { error } = verdict;
    if (error.kind === "refused" && !hasRenewed) {
      hasRenewed = true;
      token = await tokenOf(env, store, await connection.refused(token));
    } else if (error.kind === "throttled" && waited + (error.retryAfterMs ?? 0) <= MOST_WAIT_MS) {
      const wait = error.retryAfterMs ?? 0;
      waited += wait;
      await new Promise((resume) => setTimeout(resume, wait));
    } else if (error.kind === "unreachable" && mayRepeat) {
      mayRepeat = false;
    } else {
      await keepProblem(env, store, error);
      throw error;
    }
  }
}

/** The same with a token that is not kept yet; renews and records nothing. */
export async function adminQueryWith<T>(env: Env, store: Store, token: string, query: AdminQuery<T>): Promise<T> {
  const verdict = await ask(env, store, token, query, {});
  if (verdict.kind === "failed") throw verdict.error;
  return read(query, verdict.data);
}

async function tokenOf(env: Env, store: Store, answer: TokenAnswer): Promise<string> {
  if ("token" in answer) return answer.token;
  const error = errorOf(answer.problem);
  await keepProblem(env, store, error);
  throw error;
}

function errorOf(problem: Exclude<TokenAnswer, { token: string }>["problem"]): AdminError {
  if (problem === "shop_frozen") return new AdminError("frozen", "The store is frozen", FROZEN_RETRY_MS);
  if (problem === "unreachable") return new AdminError("unreachable", "Shopify gives no token", UNREACHABLE_RETRY_MS);
  return new AdminError("refused", problem === "not_connected" ? "The store is not connected" : "The token is refused");
}

async function ask(
  env: Env,
  store: Store,
  token: string,
  query: AdminQuery<unknown>,
  variables: Variables,
): Promise<Verdict> {
  try {
    const url = `${config(env).shopifyOrigin(store.domain)}/admin/api/${API_VERSION}/graphql.json`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-shopify-access-token": token },
      body: JSON.stringify({ query: query.text, operationName: query.name, variables }),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return judge(response.status, response.headers.get("retry-after"), await response.text());
  } catch {
    return { kind: "failed", error: new AdminError("unreachable", "Shopify cannot be reached", UNREACHABLE_RETRY_MS) };
  }
}

function read<T>(query: AdminQuery<T>, data: unknown): T {
  const parsed = query.answer.safeParse(data);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new AdminError("invalid", `${query.name} was answered with another shape at ${where}`);
}

const PROBLEMS = { refused: "token_refused", frozen: "shop_frozen", unreachable: "unreachable" } as const;

/** Shown until the store answers. Never hides the error that it is about. */
async function keepProblem(env: Env, store: Store, { kind }: AdminError): Promise<void> {
  if (kind === "throttled" || kind === "invalid") return;
  try {
    await env.CONNECTION.getByName(String(store.key)).troubled(true);
    await sql(
      env.DB,
      "update shopify_connections set problem = ?2, updated_at = ?3 where shop = ?1 and problem is not ?2",
      store.key,
      PROBLEMS[kind],
      Date.now(),
    ).run();
  } catch (error) {
    logFailure("connection", error);
  }
}

/** The store has answered: what was shown of it is over. What only a check can tell is looked at with the next one. */
async function endProblem(env: Env, store: Store): Promise<void> {
  try {
    await sql(
      env.DB,
      `update shopify_connections set problem = null, updated_at = ?3
       where shop = ?1 and problem in (select value from json_each(?2))`,
      store.key,
      JSON.stringify(Object.values(PROBLEMS)),
      Date.now(),
    ).run();
    await env.CONNECTION.getByName(String(store.key)).troubled(false);
  } catch (error) {
    logFailure("connection", error);
  }
}
