import { DurableObject } from "cloudflare:workers";

import { config } from "../../config";
import { isSealedBefore, open, seal } from "../../lib/crypto";
import { logFailure } from "../../lib/log";
import type { TokenAnswer } from "../admin";
import { type AppCredentials, Credentials, isFresh, isResting, isUsable, renewalOf } from "./credentials";
import { requestToken } from "./token-endpoint";

/** The one value of the object: its credentials, sealed. */
const SEALED = "sealed";

/** Set while what follows a connect is not through. */
const UNFINISHED = "unfinished";

/** Set from before a refresh token is used until its answer is stored. */
const RENEWING = "renewing";

/** Set while the connection shows that the store refused, was frozen or gave no answer. */
const TROUBLED = "troubled";

/** When the object itself goes on with a connect that was cut off, ms. */
const FINISH_MS = 60_000;

/** A refresh that was cut off is repeated after this long: Shopify takes a used refresh token again only for a short while. */
const NET_MS = 15_000;

/** How often a refresh is repeated while Shopify does not answer, ms. */
const REPEAT_MS = 60_000;

/**
 * The tokens of one store, named by the shop's integer key; nothing else knows them. Everything is sealed in the
 * object's own storage. Renewals happen one at a time, and what a renewal brought is stored before anybody gets it:
 * refresh tokens work once, so two refreshes at the same time, or one whose answer is lost, would end the connection.
 */
export class Connection extends DurableObject<Env> {
  /** Undefined until it was read. */
  #held: Credentials | null | undefined;
  #renewal: Promise<TokenAnswer> | null = null;

  /** A token that is good for another minute. */
  async accessToken(): Promise<TokenAnswer> {
    const answer = await this.#accessToken();
    return "token" in answer && this.#is(TROUBLED) ? { ...answer, isTroubled: true } : answer;
  }

  /** Told when a problem is shown, and when it is over, so that nobody has to look for one at each answer. */
  async troubled(isTroubled: boolean): Promise<void> {
    if (isTroubled === this.#is(TROUBLED)) return;
    // An object that was told to forget keeps nothing.
    if (isTroubled && (await this.#read()) === null) return;
    if (isTroubled) this.ctx.storage.kv.put(TROUBLED, true);
    else this.ctx.storage.kv.delete(TROUBLED);
  }

  async #accessToken(): Promise<TokenAnswer> {
    const held = await this.#read();
    if (held === "unreadable") return { problem: "token_unreadable" };
    if (!held) return { problem: "not_connected" };
    const now = Date.now();
    if (isResting(held, now)) return { problem: "token_refused" };
    if (held.refusedAt === null && isFresh(held, now)) return { token: held.token };
    return this.#renew();
  }

  /** Told when Shopify answered 401 to this token. Returns another one, or why there is none. */
  async refused(token: string): Promise<TokenAnswer> {
    const held = await this.#read();
    if (!held || held === "unreadable" || held.token !== token) return this.accessToken();
    if (renewalOf(held, this.#app(held)) === null) {
      await this.#save({ ...held, refusedAt: Date.now() });
      return { problem: "token_refused" };
    }
    await this.#save({ ...held, tokenExpiresAt: 0 });
    return this.#renew();
  }

  /** Keeps what a connect brought, in place of whatever was there. What follows is taken up by the alarm if need be. */
  async store(credentials: Credentials): Promise<void> {
    await this.#save(credentials);
    this.ctx.storage.kv.put(UNFINISHED, true);
    await this.ctx.storage.setAlarm(Date.now() + FINISH_MS);
  }

  /** What follows a connect is through, or goes on after `retryAfterMs`. */
  async finished(retryAfterMs: number | null): Promise<void> {
    if (retryAfterMs !== null) return this.ctx.storage.setAlarm(Date.now() + retryAfterMs);
    await this.#unmark(UNFINISHED);
  }

  /** Forgets everything. */
  async forget(): Promise<void> {
    this.#held = null;
    await this.ctx.storage.deleteAll();
    await this.ctx.storage.deleteAlarm();
  }

  /** Forgets what was stored until `at`; what a connect has stored since stays. */
  async forgetStored(at: number): Promise<void> {
    const held = await this.#read();
    if (held === "unreadable" || (held && held.storedAt <= at)) await this.forget();
  }

  /** What may be shown. */
  async state(): Promise<{ tokenExpiresAt: number | null; isRefused: boolean }> {
    const held = await this.#read();
    if (!held || held === "unreadable") return { tokenExpiresAt: null, isRefused: held === "unreadable" };
    return { tokenExpiresAt: held.tokenExpiresAt || null, isRefused: held.refusedAt !== null };
  }

  /** Seals anew what was sealed with the key before, as reading does. False when no key opens it. */
  async reseal(): Promise<boolean> {
    return (await this.#read()) !== "unreadable";
  }

  /** A refresh or a connect was cut off, or Shopify did not answer: it goes on. Never throws. */
  override async alarm(): Promise<void> {
    try {
      await this.ctx.storage.setAlarm(Date.now() + REPEAT_MS);
      const held = await this.#read();
      if (this.#is(RENEWING)) {
        if (held && held !== "unreadable" && !isFresh(held, Date.now())) await this.#renew();
        else await this.#unmark(RENEWING);
      }
      if (this.#is(UNFINISHED)) {
        if (held) {
          // Brings the whole sync along, which the Worker's entry must not pay for.
          const { finishConnect } = await import("./finish");
          await finishConnect(this.env, Number(this.ctx.id.name), Date.now());
        } else await this.#unmark(UNFINISHED);
      }
    } catch (error) {
      logFailure("connection", error);
    }
  }

  #is(mark: string): boolean {
    return this.ctx.storage.kv.get(mark) !== undefined;
  }

  /** Without a mark left there is nothing to wake up for. */
  async #unmark(mark: string): Promise<void> {
    this.ctx.storage.kv.delete(mark);
    if (!this.#is(RENEWING) && !this.#is(UNFINISHED)) await this.ctx.storage.deleteAlarm();
  }

  #renew(): Promise<TokenAnswer> {
    this.#renewal ??= this.#ask().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #ask(): Promise<TokenAnswer> {
    const held = this.#held;
    if (!held) return { problem: "not_connected" };
    const body = renewalOf(held, this.#app(held));
    if (!body) {
      await this.#save({ ...held, refusedAt: null });
      return { token: held.token };
    }
    // Armed before Shopify uses the refresh token up, so that a kill during the request is repaired by itself.
    if (held.refreshToken !== null) {
      this.ctx.storage.kv.put(RENEWING, true);
      await this.ctx.storage.setAlarm(Date.now() + NET_MS);
    }
    const grant = await requestToken(this.env, held.domain, body, Date.now());
    const now = Date.now();
    const after = this.#held;
    if (!after || after.id !== held.id) {
      return after && isUsable(after, now)
        ? { token: after.token }
        : { problem: after ? "unreachable" : "not_connected" };
    }
    if (grant.kind === "granted") {
      const { token, tokenExpiresAt, refreshToken } = grant;
      await this.#save({
        ...held,
        token,
        tokenExpiresAt,
        refreshToken: refreshToken ?? held.refreshToken,
        refusedAt: null,
      });
      await this.#unmark(RENEWING);
      return { token };
    }
    if (grant.kind === "refused") await this.#unmark(RENEWING);
    if (held.refusedAt === null && isUsable(held, now)) return { token: held.token };
    if (grant.kind !== "refused") return { problem: grant.kind };
    await this.#save({ ...held, refusedAt: now });
    return { problem: "token_refused" };
  }

  /** Read at each use, so that a secret that is replaced in the settings counts at once. */
  #app(held: Credentials): AppCredentials {
    const { shopifyApiKey, shopifySecrets } = config(this.env);
    return held.app ?? { clientId: shopifyApiKey, clientSecret: shopifySecrets[0] };
  }

  async #read(): Promise<Credentials | "unreadable" | null> {
    if (this.#held !== undefined) return this.#held;
    const sealed = this.ctx.storage.kv.get<string>(SEALED);
    if (sealed === undefined) return (this.#held = null);
    const keys = config(this.env).sealingKeys;
    const text = await open(keys, sealed).catch(() => null);
    if (text === null) return "unreadable";
    const before = await isSealedBefore(keys, sealed);
    // Another call may have read or stored while this one was opening.
    if (this.#held !== undefined) return this.#held;
    this.#held = Credentials.parse(JSON.parse(text));
    if (before) await this.#save(this.#held);
    return this.#held;
  }

  async #save(credentials: Credentials): Promise<void> {
    this.#held = credentials;
    const sealed = await seal(config(this.env).sealingKeys, JSON.stringify(credentials));
    // Sealing takes a moment: a newer value must not be overwritten by this one.
    if (this.#held === credentials) this.ctx.storage.kv.put(SEALED, sealed);
  }
}
