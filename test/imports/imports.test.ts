import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";

import { continueLongJobs } from "../../src/jobs/long";
import { maintain } from "../../src/jobs/maintain";
import { enforceRetention } from "../../src/jobs/retention";
import { api, type MintedShop, mintShop } from "../helpers/api";
import { DAY, HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { keyOf, queue, sendDue, sendingShop, stateOf } from "../messages/outbox";

useFakeClock();

const mail = () => `${crypto.randomUUID().slice(0, 13)}@people.example`;

async function importText(shop: MintedShop, content: string, more: Record<string, unknown> = {}) {
  const made = await shop.full.post("/v1/imports", { content, ...more });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return goOn(shop, made.body.id);
}

/** Carries an import or export on to its end as the clock does. */
async function goOn(shop: MintedShop, id: string) {
  const path = `/v1/${id.startsWith("imp") ? "imports" : "exports"}/${id}`;
  for (let run = 0; run < 50; run++) {
    const { body } = await shop.full.get(path);
    if (!["running", "checking"].includes(body.state)) return body;
    await continueLongJobs(env, Date.now(), shop.key);
  }
  throw new Error("it does not end");
}

async function contactOf(shop: MintedShop, email: string) {
  return (await shop.full.get(`/v1/contacts?email=${encodeURIComponent(email)}`)).body.items[0];
}

async function fileOf(url: string): Promise<Response> {
  return exports.default.fetch(url);
}

test("7: an import adds people with consents, tags, fields and a list, and a second one merges instead of failing", async () => {
  const shop = await mintShop();
  const list = await shop.full.post("/v1/lists", { name: "Old list" });
  await shop.full.post("/v1/fields", { label: "Shoe size", type: "number" });
  const [ada, bob] = [mail(), mail()];
  const csv = [
    "Email,First name,Phone,Tags,fields.shoe_size,consents.email.state,consents.email.updatedAt,Nickname",
    `${ada},Ada,+4930123456,"a, b",42,subscribed,2020-05-01 10:00:00,Ad`,
    `${bob.toUpperCase()},Bob,0301,"c",many,,,`,
    `nobody,X,,,,,,`,
    ``,
    `${ada},Adele,,"d",,,,`,
  ].join("\r\n");
  const done = await importText(shop, csv, { listId: list.body.id, tags: ["imported"] });
  expect(done).toMatchObject({ state: "done", unknownColumns: ["Nickname"], preset: null, error: null });
  expect(done.counts).toMatchObject({ rows: 4, created: 2, updated: 1, failed: 1, problems: 3 });
  expect(done.firstErrors).toEqual([
    { row: 3, column: "Phone", detail: "is no phone number with its country code; left out", fatal: false },
    { row: 3, column: "fields.shoe_size", detail: "is not a number; left out", fatal: false },
    { row: 4, column: "Email", detail: "is not an e-mail address", fatal: true },
  ]);
  const contact = await contactOf(shop, ada);
  expect(contact).toMatchObject({
    firstName: "Adele",
    phone: "+4930123456",
    source: "Import",
    tags: ["a", "b", "d", "imported"],
    fields: { shoe_size: 42 },
    consents: { email: { state: "subscribed", basis: "import", updatedAt: "2020-05-01T10:00:00.000Z" } },
  });
  expect((await shop.full.get(`/v1/lists/${list.body.id}`)).body.size).toBe(2);
  const news = await env.DB.prepare("select count(*) as n from outbox where shop = ? and type = 'contact_created'")
    .bind(shop.key)
    .first<number>("n");
  expect(news).toBe(0);
  expect((await shop.full.get(`/v1/jobs/${done.jobId}`)).body).toMatchObject({ state: "done", percent: 100 });

  const again = await importText(shop, csv.replace("Adele", "Adele "), {});
  expect(again.counts).toMatchObject({ rows: 4, created: 0, updated: 2, unchanged: 1, failed: 1 });
  const filled = await importText(shop, `email,firstName,company\n${ada},Other,Acme\n${mail()},New,`, {
    existing: "fill",
    missing: "skip",
  });
  expect(filled.counts).toMatchObject({ created: 0, updated: 1, skipped: 1 });
  expect(await contactOf(shop, ada)).toMatchObject({ firstName: "Adele", company: "Acme" });
});

test("7: a row that names two contacts leaves the other's values to it, or merges them where they can be one", async () => {
  const shop = await mintShop();
  const [ada, bob] = [mail(), mail()];
  const unsubscribed = { email: { state: "unsubscribed" } };
  await shop.full.post("/v1/contacts", { email: ada, consents: { email: { state: "subscribed" } } });
  const byId = await shop.full.post("/v1/contacts", { externalId: "E-1", company: "Acme", consents: unsubscribed });
  await shop.full.post("/v1/contacts", { email: bob, phone: "+4930777777" });
  const csv = `externalId,email,phone,firstName\nE-1,${ada},+4930777777,Ada\n`;
  const left = await importText(shop, csv);
  expect(left.counts).toMatchObject({ created: 0, updated: 1, problems: 2 });
  expect(left.firstErrors.map(({ column }: { column: string }) => column)).toEqual(["email", "phone"]);
  expect((await contactOf(shop, ada)).firstName).toBeNull();
  const merged = await importText(shop, csv, { conflicts: "merge" });
  expect(merged.counts).toMatchObject({ created: 0, problems: 1 });
  const one = await contactOf(shop, ada);
  expect(one).toMatchObject({ externalId: "E-1", company: "Acme", firstName: "Ada", phone: null });
  expect(one.consents.email.state).toBe("unsubscribed");
  expect((await shop.full.get(`/v1/contacts/${byId.body.id}`)).status).toBe(308);
  expect((await contactOf(shop, bob)).phone).toBe("+4930777777");
});

test("nobody who had left is written to: imported unsubscribes and suppressions hold, and no import subscribes them again", async () => {
  const shop = await sendingShop();
  const [left, bounced, spam, fresh, back] = [mail(), mail(), mail(), mail(), mail()];
  // An own decision that is newer than the file stays; one that is older gives way.
  await shop.full.post("/v1/contacts", { email: left, consents: { email: { state: "subscribed" } } });
  await shop.full.post("/v1/contacts", { email: back, consents: { email: { state: "subscribed" } } });
  const done = await importText(
    shop,
    [
      "Email,Klaviyo ID,First Name,Email Marketing Consent,Email Marketing Consent Timestamp,Email Suppressions,Email Suppressions Timestamp,Loyalty",
      `${left},1,L,UNSUBSCRIBED,,,,gold`,
      `${bounced},2,B,SUBSCRIBED,2020-01-01 00:00:00,HARD_BOUNCE,2021-01-01 00:00:00,`,
      `${spam},3,S,SUBSCRIBED,2020-01-01 00:00:00,"['SPAM_COMPLAINT', 'UNSUBSCRIBE']",2021-01-01 00:00:00,`,
      `${fresh},4,F,SUBSCRIBED,2020-01-01 00:00:00,,,`,
      `${back},5,R,UNSUBSCRIBED,2019-01-01 00:00:00,UNSUBSCRIBE,2019-01-01 00:00:00,`,
    ].join("\n"),
  );
  expect(done).toMatchObject({ preset: "klaviyo", unknownColumns: ["Loyalty"] });
  expect(done.counts).toMatchObject({ rows: 5, created: 3, suppressed: 3 });

  const reasons: Record<string, string | null> = {};
  for (const email of [left, bounced, spam, fresh, back]) {
    const contact = await contactOf(shop, email);
    const id = await queue(shop, await keyOf("contacts", contact.id));
    await sendDue(shop);
    const [state, reason] = await stateOf(shop, id);
    reasons[email] = state === "sent" ? "sent" : reason;
  }
  expect(reasons).toEqual({
    [left]: "unsubscribed",
    [bounced]: "suppressed",
    [spam]: "suppressed",
    [fresh]: "sent",
    [back]: "sent",
  });

  // Whatever a later file claims, and however new: who has left stays away.
  travel(DAY);
  const tomorrow = new Date(T0 + DAY).toISOString();
  const claim = `email,consents.email.state,consents.email.updatedAt\n${left},subscribed,${tomorrow}\n${spam},subscribed,${tomorrow}`;
  await importText(shop, claim);
  expect((await contactOf(shop, left)).consents.email.state).toBe("unsubscribed");
  expect((await contactOf(shop, spam)).consents.email.state).not.toBe("subscribed");

  // A file of suppressions adds nobody, and holds for who comes later.
  const never = mail();
  const list = await importText(shop, `Email,Reason,Date\n${never},,\n`, {
    kind: "suppressions",
    reason: "UNSUBSCRIBE",
  });
  expect(list.counts).toMatchObject({ created: 0, skipped: 1, suppressed: 1 });
  await importText(shop, `email,consents.email.state\n${never},subscribed`);
  const late = await contactOf(shop, never);
  const id = await queue(shop, await keyOf("contacts", late.id));
  await sendDue(shop);
  expect((await stateOf(shop, id))[1]).toBe("suppressed");

  // Nor does a file bring back whom the shop was told to erase since.
  const waiting = await shop.full.post("/v1/imports", { content: `email,firstName\n${fresh},F`, dryRun: true });
  travel(MINUTE);
  await shop.full.post(`/v1/contacts/${(await contactOf(shop, fresh)).id}/erase`, {});
  const started = await shop.full.post(`/v1/imports/${waiting.body.id}/start`, {});
  expect(started.body.counts).toMatchObject({ created: 0, failed: 1 });
});

test("ActiveCampaign's and Mautic's exports are recognised, their statuses understood", async () => {
  const shop = await mintShop();
  const [a, b, c, d] = [mail(), mail(), mail(), mail()];
  const active = await importText(
    shop,
    `Contact ID,Email,First Name,Last Name,Phone,Tags,Status,Favourite Colour\n1,${a},A,A,,"x,y",Unsubscribed,blue\n2,${b},B,B,,,Bounced,\n`,
    { createFields: true },
  );
  expect(active).toMatchObject({ preset: "activecampaign", unknownColumns: [], newFields: ["favourite_colour"] });
  expect(await contactOf(shop, a)).toMatchObject({
    consents: { email: { state: "unsubscribed" } },
    fields: { favourite_colour: "blue" },
  });
  expect((await shop.full.get(`/v1/suppressions?address=${b}`)).body.items).toMatchObject([{ reason: "HARD_BOUNCE" }]);
  const mautic = await importText(
    shop,
    `"id";"email";"firstname";"doNotEmail";"dateIdentified";"tags"\n1;${c};"C";1;;"m|n"\n2;${d};"D; ""D""";0;;\n`,
  );
  expect(mautic.preset).toBe("mautic");
  expect(await contactOf(shop, c)).toMatchObject({ consents: { email: { state: "unsubscribed" } }, tags: ["m", "n"] });
  expect(await contactOf(shop, d)).toMatchObject({
    firstName: 'D; "D"',
    consents: { email: { state: "not_subscribed" } },
  });
});

test("a dry run writes nothing but its figures; its file can be imported afterwards", async () => {
  const shop = await mintShop();
  const ada = mail();
  const content = `Mail,Name,Colour\n${ada},Ada,red\nbroken,,\n`;
  const refused = await shop.full.post("/v1/imports", { content });
  expect(refused.status).toBe(422);
  expect(refused.body.errors[0].detail).toContain("Mail");
  const mapping = { Mail: "email", Name: "firstName" };
  const tables = ["contacts", "identities", "consents", "suppressions", "contact_tags", "fields"];
  const count = async () =>
    Promise.all(
      tables.map(async (table) =>
        env.DB.prepare(`select count(*) as n from ${table} where shop = ?`).bind(shop.key).first<number>("n"),
      ),
    );
  const before = await count();
  const dry = await importText(shop, content, { mapping, dryRun: true, createFields: true, tags: ["t"] });
  expect(dry).toMatchObject({ state: "checked", newFields: ["colour"] });
  expect(dry.counts).toMatchObject({ rows: 2, created: 1, failed: 1 });
  expect(await count()).toEqual(before);
  const started = await shop.full.post(`/v1/imports/${dry.id}/start`, { dryRun: false });
  expect(started.status).toBe(202);
  expect(started.body).toMatchObject({ state: "done", counts: { rows: 2, created: 1, failed: 1 } });
  expect(await contactOf(shop, ada)).toMatchObject({ firstName: "Ada", fields: { colour: "red" } });
  expect((await shop.full.post(`/v1/imports/${dry.id}/start`, {})).status).toBe(409);
  const left = await env.DB.prepare("select count(*) as n from file_pieces where owner = ?").bind(dry.id).first("n");
  expect(left).toBe(0);
});

test("a large file comes in parts, survives a kill at any batch, and each row counts once", async () => {
  const shop = await mintShop();
  const word = crypto.randomUUID().slice(0, 8);
  const rows = Array.from(
    { length: 2_300 },
    (_, i) => `${word}-${i}@people.example,"Ünï ""${i}"",\r\nsecond",subscribed`,
  );
  const bytes = new TextEncoder().encode(`email,firstName,consents.email.state\r\n${rows.join("\r\n")}`);
  const made = await shop.full.post("/v1/imports", {});
  expect(made.body.state).toBe("waiting");
  const put = async (no: number, part: Uint8Array) =>
    exports.default.fetch(`https://footfall.test/v1/imports/${made.body.id}/parts/${no}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${shop.fullKey}`, "content-type": "text/csv" },
      body: part.slice(),
    });
  // Cut in the middle of a character; the second part first, and sent twice.
  const cut = bytes.indexOf(0xc3, 40_000) + 1;
  expect((await put(2, bytes.subarray(cut))).status).toBe(200);
  expect((await shop.full.post(`/v1/imports/${made.body.id}/start`, {})).status).toBe(422);
  expect((await put(2, bytes.subarray(cut))).status).toBe(200);
  expect((await put(1, bytes.subarray(0, cut))).status).toBe(200);

  const started = await shop.full.post(`/v1/imports/${made.body.id}/start`, {});
  expect(started.body).toMatchObject({
    state: "running",
    bytes: bytes.length,
    counts: { rows: 1_000, created: 1_000 },
  });
  expect((await put(1, bytes)).status).toBe(409);
  // Two runs at once: one of them gives way.
  await Promise.all([1, 2].map(() => continueLongJobs(env, Date.now(), shop.key)));
  // A run that dies before a batch leaves nothing of it behind; the next one goes on from there.
  const { continueImport } = await import("../../src/imports/run");
  let batches = 0;
  const dying: D1Database = new Proxy(env.DB, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "batch") return value.bind(target);
      return (statements: D1PreparedStatement[]) => {
        if (++batches > 3) throw new Error("killed");
        return target.batch(statements);
      };
    },
  });
  const job = { id: started.body.jobId, shop: shop.key };
  await expect(continueImport({ ...env, DB: dying }, job, Date.now())).rejects.toThrow("killed");
  const done = await goOn(shop, made.body.id);
  expect(done).toMatchObject({ state: "done", counts: { rows: 2_300, created: 2_300, updated: 0, failed: 0 } });
  const stored = await env.DB.prepare(
    "select count(*) as n, count(distinct email) as d from contacts where shop = ? and first_name like 'Ünï \"%second'",
  )
    .bind(shop.key)
    .first<{ n: number; d: number }>();
  expect(stored).toEqual({ n: 2_300, d: 2_300 });

  const open = `email,firstName\n${mail()},ok\n${mail()},"never closed\n`;
  const broken = await importText(shop, `${open}x@y.example,z\n`);
  expect(broken).toMatchObject({ state: "done", counts: { rows: 2, created: 1, failed: 1 } });
  expect(broken.firstErrors[0]).toMatchObject({ row: 3, detail: expect.stringContaining("never closed") });
  const endless = await shop.full.post("/v1/imports", {});
  const sent = await exports.default.fetch(`https://footfall.test/v1/imports/${endless.body.id}/parts/1`, {
    method: "PUT",
    headers: { authorization: `Bearer ${shop.fullKey}` },
    body: open + "x,y\n".repeat(500_000),
  });
  expect(sent.status).toBe(200);
  await shop.full.post(`/v1/imports/${endless.body.id}/start`, {});
  const failed = await goOn(shop, endless.body.id);
  expect(failed).toMatchObject({ state: "failed", counts: { created: 0, unchanged: 1 } });
  expect(failed.error).toContain("Row 3");
  const foreign = await shop.full.post("/v1/imports", {});
  const latin = await exports.default.fetch(`https://footfall.test/v1/imports/${foreign.body.id}/parts/1`, {
    method: "PUT",
    headers: { authorization: `Bearer ${shop.fullKey}` },
    body: new Uint8Array([0x65, 0x6d, 0x61, 0x69, 0x6c, 0x0a, 0xfc]),
  });
  expect(latin.status).toBe(200);
  expect((await shop.full.post(`/v1/imports/${foreign.body.id}/start`, {})).body.detail).toContain("UTF-8");
});

test("an export is imported again without a change, in both formats, and no cell of it is a formula", async () => {
  const shop = await mintShop({ phoneImpliesSubscribed: true });
  await shop.full.post("/v1/fields", { label: "Shoe size", type: "number" });
  const evil = mail();
  await shop.full.post("/v1/contacts", {
    email: evil,
    phone: "+4930123456",
    externalId: "-1+1",
    firstName: '=HYPERLINK("https://evil.example")',
    lastName: "'@x",
    company: 'a, "b"\nc',
    tags: ["+tag", "b;c", "d,e"],
    address: { city: "@Berlin", country: "DE" },
    fields: { shoe_size: -42, note: "5", list: ["x"], flag: true, formula: "=1+1" },
    consents: { email: { state: "unsubscribed", source: "=cmd" }, sms: { state: "subscribed" } },
  });
  await shop.full.post("/v1/suppressions", { channel: "email", address: evil, reason: "SPAM_COMPLAINT" });
  await shop.full.post("/v1/suppressions", { channel: "sms", address: "+4930999999", reason: "UNSUBSCRIBE" });
  const snapshot = async () => {
    const all: unknown[] = [];
    for (const table of ["contacts", "identities", "consents", "suppressions", "contact_tags", "lifecycle_history"]) {
      const { results } = await env.DB.prepare(`select * from ${table} where shop = ?`).bind(shop.key).all();
      all.push(results.map(({ address, ...row }) => (table === "suppressions" ? row : { ...row, address })));
    }
    return all;
  };
  const before = await snapshot();
  travel(HOUR);
  for (const format of ["csv", "jsonl"]) {
    const made = await shop.full.post("/v1/exports", { format });
    expect(made.status).toBe(202);
    const done = await goOn(shop, made.body.id);
    expect(done).toMatchObject({ state: "done", rows: 2 });
    const file = await fileOf(done.downloadUrl);
    expect(file.headers.get("cache-control")).toBe("no-store");
    const text = await file.text();
    if (format === "csv") {
      const { default: Papa } = await import("papaparse");
      const cells = Papa.parse<string[]>(text.replace("\uFEFF", "")).data.slice(1).flat();
      expect(cells.filter((cell) => /^[=@\t\r]|^[+-](?!\d+(\.\d+)?$)/.test(cell))).toEqual([]);
      expect(text).toContain("'=HYPERLINK");
    }
    const back = await importText(shop, text, { format });
    expect(back).toMatchObject({
      preset: "footfall",
      unknownColumns: [],
      counts: { created: 0, updated: 0, unchanged: 1 },
    });
    expect(back.counts.problems).toBe(0);
    expect(await snapshot()).toEqual(before);

    // A shop that knows nobody gets the same people, with the same wishes.
    const other = await mintShop({ phoneImpliesSubscribed: true });
    await other.full.post("/v1/fields", { label: "Shoe size", type: "number" });
    await importText(other, text, { format });
    const [mine, theirs] = [await contactOf(shop, evil), await contactOf(other, evil)];
    for (const part of ["firstName", "lastName", "company", "tags", "address", "fields", "externalId", "phone"]) {
      expect([part, theirs[part]]).toEqual([part, mine[part]]);
    }
    expect(theirs.consents.email).toMatchObject({ state: "unsubscribed", source: "=cmd" });
    expect((await other.full.get("/v1/suppressions")).body.items).toHaveLength(2);
  }
});

test("exports of a segment and a list hold their people; a link expires, an erasure and the end of the day take the file", async () => {
  const shop = await mintShop();
  const [ada, bob] = [mail(), mail()];
  const made = await shop.full.post("/v1/contacts", { email: ada });
  await shop.full.post("/v1/contacts", { email: bob });
  const list = await shop.full.post("/v1/lists", { name: "L" });
  await shop.full.post(`/v1/lists/${list.body.id}/members`, { action: "add", contactIds: [made.body.id] });
  const ofList = await goOn(shop, (await shop.full.post("/v1/exports", { listId: list.body.id })).body.id);
  expect(ofList).toMatchObject({ rows: 1, of: list.body.id });
  expect((await shop.full.post("/v1/exports", { segmentId: "seg_none" })).status).toBe(422);
  const text = await (await fileOf(ofList.downloadUrl)).text();
  expect([text.includes(ada), text.includes(bob)]).toEqual([true, false]);
  const forged = ofList.downloadUrl.replace(/\d+\./, `${Date.now() + 365 * DAY}.`);
  expect((await fileOf(forged)).status).toBe(404);

  await shop.full.post(`/v1/contacts/${made.body.id}/erase`, {});
  expect((await fileOf(ofList.downloadUrl)).status).toBe(404);
  expect((await shop.full.get(`/v1/exports/${ofList.id}`)).body).toMatchObject({ state: "expired", downloadUrl: null });

  const all = await goOn(shop, (await shop.full.post("/v1/exports", {})).body.id);
  expect((await fileOf(all.downloadUrl)).status).toBe(200);
  const waiting = await shop.full.post("/v1/imports", { content: `email\n${mail()}`, dryRun: true });
  travel(DAY);
  expect((await fileOf(all.downloadUrl)).status).toBe(404);
  travel(7 * DAY);
  await maintain(env, Date.now());
  await enforceRetention(env, Date.now());
  const pieces = "select count(*) as n from file_pieces where shop = ?";
  expect(await env.DB.prepare(pieces).bind(shop.key).first("n")).toBe(0);
  expect((await shop.full.get(`/v1/imports/${waiting.body.id}`)).body.state).toBe("failed");
});

test("imports and exports of another shop are not there; errors come as a safe CSV", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const done = await importText(mine, `email,"=cmd()"\nbroken,\n${mail()},x,too,many`, {
    mapping: { "=cmd()": "lastName" },
  });
  const file = await mine.full.get(`/v1/imports/${done.id}/errors`);
  expect(file.body).toBe(
    "row,column,problem,left_out\r\n2,email,is not an e-mail address,row\r\n3,,has more cells than there are columns,row\r\n",
  );
  const exported = await mine.full.post("/v1/exports", {});
  for (const [method, path, body] of [
    ["GET", `/v1/imports/${done.id}`, undefined],
    ["GET", `/v1/imports/${done.id}/errors`, undefined],
    ["PUT", `/v1/imports/${done.id}/parts/1`, "x"],
    ["POST", `/v1/imports/${done.id}/start`, {}],
    ["DELETE", `/v1/imports/${done.id}`, undefined],
    ["GET", `/v1/exports/${exported.body.id}`, undefined],
    ["DELETE", `/v1/exports/${exported.body.id}`, undefined],
  ] as const) {
    expect([path, (await other.full.request(method, path, body)).status]).toEqual([path, 404]);
    const scope = method === "GET" ? mine.writeOnly : mine.readOnly;
    expect([path, (await scope.request(method, path, body)).status]).toEqual([path, 403]);
    expect([path, (await api(null).request(method, path, body)).status]).toEqual([path, 401]);
  }
  expect((await other.full.get("/v1/imports")).body.items).toEqual([]);
  expect((await other.full.get("/v1/exports")).body.items).toEqual([]);
  expect((await mine.full.get("/v1/imports?limit=1")).body.items[0].id).toBe(done.id);
  expect((await mine.full.delete(`/v1/imports/${done.id}`)).status).toBe(204);
  expect((await mine.full.delete(`/v1/exports/${exported.body.id}`)).status).toBe(204);
  expect((await mine.full.get(`/v1/exports/${exported.body.id}`)).status).toBe(404);
  expect((await mine.full.post("/v1/imports", { mapping: { a: "nothing" } })).status).toBe(400);
  expect((await mine.full.post("/v1/imports", { listId: "lst_none" })).status).toBe(422);
});
