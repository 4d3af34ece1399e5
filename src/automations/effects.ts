import { stageStatements } from "../contacts/rest";
import { foldTag } from "../contacts";
import { sql } from "../db/client";
import { openAlert } from "../health";
import { newId } from "../lib/ids";
import { type NewDelivery, queueDelivery } from "../messages";
import type { Shop } from "../shops";
import type { Effect, Run } from "./run";

/** An effect, and the step of the run that asks for it. */
export interface Asked {
  run: Run;
  automationId: string;
  step: string;
  visit: number;
  effect: Effect;
  /** Of a message: the template's key and version; null where it is gone. */
  template: [key: number, version: number] | null;
}

type Of<K extends Effect["kind"]> = Asked & { effect: Extract<Effect, { kind: K }> };

/**
 * The statements of effects, for the batch of the steps that ask for them. Effects of one run keep their order; equal
 * ones of different people share a statement. Messages (`messageStatements`) and other automations to start
 * (`enterStatements`) are not among them.
 */
export function effectStatements(db: D1Database, shop: Shop, asked: Asked[], now: number): D1PreparedStatement[] {
  const turns = new Map<string, number>();
  const waves = Map.groupBy(asked, ({ run }) => {
    const name = `${run.kind}:${run.subject}`;
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    return turn;
  });
  return [...waves.values()].flatMap((wave) =>
    [...Map.groupBy(wave, ({ effect }) => effect.kind).values()].flatMap((alike) => statementsOf(db, shop, alike, now)),
  );
}

function statementsOf(db: D1Database, shop: Shop, alike: Asked[], now: number): D1PreparedStatement[] {
  const of = <K extends Effect["kind"]>(...kinds: K[]): Of<K>[] =>
    alike.filter((one): one is Of<K> => kinds.some((kind) => kind === one.effect.kind));
  const run = (rows: unknown[], text: string) =>
    rows.length === 0 ? [] : [sql(db, text, shop.key, JSON.stringify(rows), now)];
  return [
    ...run(
      of("add_tag").map((one) => [one.run.subject, foldTag(one.effect.tag), one.effect.tag]),
      `insert into contact_tags (shop, tag, contact, label, origin, at, removed)
       select ?1, value ->> 1, value ->> 0, value ->> 2, 'crm', ?3, 0 from json_each(?2) where true
       on conflict do update set label = excluded.label, origin = 'crm', at = excluded.at, removed = 0
       where contact_tags.removed = 1`,
    ),
    ...run(
      of("remove_tag").map((one) => [foldTag(one.effect.tag), one.run.subject]),
      `delete from contact_tags where ?3 > 0 and (shop, tag, contact) in (
         select ?1, value ->> 0, value ->> 1 from json_each(?2)) and removed = 0`,
    ),
    ...run(
      of("add_to_list").map((one) => [one.effect.list, one.run.kind, one.run.subject]),
      `insert into list_members (list, kind, subject, added_at)
       select l.key, j.value ->> 1, j.value ->> 2, ?3 from json_each(?2) j
       join lists l on l.id = j.value ->> 0 and l.shop = ?1 and l.deleted_at is null
       where true on conflict do nothing`,
    ),
    ...run(
      of("remove_from_list").map((one) => [one.effect.list, one.run.kind, one.run.subject]),
      `delete from list_members where ?3 > 0 and (list, kind, subject) in (
         select l.key, j.value ->> 1, j.value ->> 2 from json_each(?2) j join lists l on l.id = j.value ->> 0 and l.shop = ?1)`,
    ),
    ...run(
      of("set_field").map((one) => [one.run.subject, one.effect.field, one.effect.value]),
      `update contacts set fields = json_patch(fields, json_object(j.value ->> 1, json(j.value -> 2))),
         updated_at = ?3, revision = revision + 1
       from json_each(?2) j where contacts.key = j.value ->> 0 and +contacts.shop = ?1`,
    ),
    ...run(
      of("increase_field").map((one) => [one.run.subject, `$."${one.effect.field}"`, one.effect.by]),
      `update contacts set
         fields = json_set(fields, j.value ->> 1, coalesce(fields ->> (j.value ->> 1), 0) + (j.value ->> 2)),
         updated_at = ?3, revision = revision + 1
       from json_each(?2) j where contacts.key = j.value ->> 0 and +contacts.shop = ?1`,
    ),
    ...scoreStatements(run, of("score")),
    ...[...Map.groupBy(of("lifecycle"), ({ effect }) => effect.stage)].flatMap(([stage, some]) =>
      stageStatements(
        db,
        shop.key,
        stage,
        { text: "(select value from json_each(?2))", value: JSON.stringify(some.map((one) => one.run.subject)) },
        now,
      ),
    ),
    ...run(
      of("consent").map((one) => [one.run.subject, one.effect.channel, one.effect.state]),
      // Nobody is signed up again who has left.
      `insert into consents (contact, channel, shop, state, level, basis, source, decided_at, updated_at)
       select value ->> 0, value ->> 1, ?1, value ->> 2, 'unknown', 'automation', 'automation', ?3, ?3
       from json_each(?2) where true
       on conflict do update set state = excluded.state, level = excluded.level, basis = excluded.basis,
         source = excluded.source, decided_at = excluded.decided_at, updated_at = excluded.updated_at
       where excluded.state = 'unsubscribed' or consents.state in ('not_subscribed', 'pending')`,
    ),
    ...run(
      of("webhook").map((one) => [
        newId("whd", now),
        one.effect.endpoint,
        stepKey(one),
        one.run.kind,
        one.run.subject,
        webhookBody(shop, one, now),
      ]),
      `insert into endpoint_deliveries (id, shop, endpoint, type, natural_key, body, state, next_attempt_at, created_at)
       select j.value ->> 0, ?1, e.key, 'automation_step', j.value ->> 2,
         json_set(j.value ->> 5, iif(j.value ->> 3 = 'contact', '$.data.contactId', '$.data.visitorId'),
           iif(j.value ->> 3 = 'contact', (select id from contacts where key = j.value ->> 4),
             (select tracker from visitors where key = j.value ->> 4))),
         'pending', ?3, ?3
       from json_each(?2) j join webhook_endpoints e on e.id = j.value ->> 1 and e.shop = ?1 and e.state <> 'disabled'
       where true on conflict do nothing`,
    ),
    ...of("alert").flatMap((one) =>
      openAlert(
        db,
        {
          shop: shop.key,
          kind: "automation_alert",
          subject: `${one.run.id}:${one.visit}`,
          data: { automationId: one.automationId, runId: one.run.id, step: one.step, text: one.effect.text },
        },
        now,
      ),
    ),
    ...run(
      of("stop").map((one) => [one.effect.automation, one.run.kind, one.run.subject, one.run.key]),
      `update runs set state = 'exited', reason = 'stopped by another automation', step = null, due_at = null,
         held_at = null, lease_until = null, ended_at = ?3
       where ended_at is null and key in (
         select r.key from json_each(?2) j join automations a on a.id = j.value ->> 0 and a.shop = ?1
         join runs r on r.subject = j.value ->> 2 and r.kind = j.value ->> 1 and r.automation = a.key
           and r.ended_at is null and r.key <> j.value ->> 3)`,
    ),
  ];
}

/** One step of a run, for whatever must happen once for it. */
function stepKey({ run, visit }: Pick<Asked, "run" | "visit">): string {
  return `run:${run.key}:${visit}`;
}

function scoreStatements(
  run: (rows: unknown[], text: string) => D1PreparedStatement[],
  asked: Of<"score">[],
): D1PreparedStatement[] {
  const rows = asked.map((one) => [one.run.subject, one.effect.points, stepKey(one)]);
  return [
    ...run(
      rows,
      `insert into score_history (contact, at, natural_key, shop, points)
       select value ->> 0, ?3, value ->> 2, ?1, value ->> 1 from json_each(?2)`,
    ),
    ...run(
      rows,
      `update contacts set score = score + (j.value ->> 1), updated_at = ?3
       from json_each(?2) j where contacts.key = j.value ->> 0 and +contacts.shop = ?1`,
    ),
  ];
}

/** The statements that queue messages, each of which returns the key of its delivery. */
export function messageStatements(db: D1Database, shop: Shop, asked: Asked[], now: number): D1PreparedStatement[] {
  return asked.flatMap(({ run, step, visit, effect, template }) => {
    if (effect.kind !== "message" || template === null) return [];
    const { cart, order, product, delivery, codes } = run.data;
    const message: NewDelivery = {
      naturalKey: `run:${run.key}:${step}:${visit}`,
      channel: effect.channel,
      class: effect.transactional ? "transactional" : "marketing",
      contact: run.subject,
      run: run.key,
      automation: run.automation,
      step,
      template: template[0],
      templateVersion: effect.version ?? template[1],
      data: { cart, order, product, delivery, codes },
      dueAt: now,
    };
    return [queueDelivery(db, shop.key, message)];
  });
}

function webhookBody(shop: Shop, one: Of<"webhook">, now: number): string {
  return JSON.stringify({
    type: "automation_step",
    timestamp: new Date(now).toISOString(),
    data: {
      shopId: shop.id,
      shop: shop.domain,
      automationId: one.automationId,
      runId: one.run.id,
      step: one.step,
      ...(one.run.data.order === undefined ? {} : { orderId: one.run.data.order }),
      ...one.effect.data,
    },
  });
}
