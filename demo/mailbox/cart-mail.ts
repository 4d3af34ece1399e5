import { z } from "zod";
import { BRAND } from "../shop.ts";

/** A call of the product's REST API as the operator; answers with the parsed body, throws where it is refused. */
export type Call = (method: "GET" | "POST" | "PATCH", path: string, body?: object) => Promise<unknown>;

const SENDER = "Demo mailbox";
const TEMPLATE = "A cart left behind";
const AUTOMATION = "Cart left behind";

const Named = z.object({ items: z.array(z.looseObject({ id: z.string(), name: z.string() })) });
const Made = z.looseObject({ id: z.string() });
const Automation = Made.extend({ state: z.string() });

const BODY = `<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" />
      <mj-text color="#262a22" font-size="16px" line-height="25px" padding="10px 20px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f0e9dc" width="600px">
    <mj-section padding="28px 0 12px">
      <mj-column><mj-text align="center" font-family="Georgia, serif" font-size="24px">{{ sender.name }}</mj-text></mj-column>
    </mj-section>
    <mj-section background-color="#ffffff" padding="28px 0">
      <mj-column>
        <mj-text font-family="Georgia, serif" font-size="28px" line-height="34px">You left something behind</mj-text>
        <mj-text>Hello {{ contact.first_name | default: "there" }}, what you picked is still in your cart. We keep it for you as long as it is in stock.</mj-text>
        <mj-text>{% render "cart" %}</mj-text>
      </mj-column>
    </mj-section>
    <mj-section padding="8px 0 28px">
      <mj-column><mj-text>{% render "footer" %}</mj-text></mj-column>
    </mj-section>
  </mj-body>
</mjml>`;

/**
 * Lets the demo shop write to people who leave a cart: a sender that hands mail to the mailbox, a template, and an active
 * automation, which tags those who have not bought a day later. Done again it only tells the sender the mailbox's port of this start.
 *
 * @param shop the *.myshopify.com name
 * @param port of the mailbox's mail server on this machine
 */
export async function arrangeCartMail(call: Call, shop: string, port: number): Promise<void> {
  const idOf = async (collection: string, name: string): Promise<string | undefined> => {
    const { items } = Named.parse(await call("GET", `/v1/${collection}?shop=${encodeURIComponent(shop)}&limit=250`));
    return items.find((item) => item.name === name)?.id;
  };
  const make = async (collection: string, name: string, body: object): Promise<string> =>
    Made.parse(await call("POST", `/v1/${collection}`, { shop, name, ...body })).id;

  const credentials = { host: "localhost", port: String(port), security: "none" };
  const sender = await idOf("senders", SENDER);
  if (sender !== undefined) await call("PATCH", `/v1/senders/${sender}`, { credentials });
  else {
    await make("senders", SENDER, {
      channel: "email",
      provider: "smtp",
      from: { address: "hello@alder-and-oat.example", name: BRAND },
      postalAddress: "Lindenstraße 12\n10969 Berlin\nGermany",
      credentials,
    });
  }
  const template =
    (await idOf("templates", TEMPLATE)) ??
    (await make("templates", TEMPLATE, {
      channel: "email",
      subject: "Your cart is still here, {{ contact.first_name | default: 'friend' }}",
      preheader: "What you picked is waiting for you.",
      format: "mjml",
      body: BODY,
    }));
  const automation =
    (await idOf("automations", AUTOMATION)) ??
    (await make("automations", AUTOMATION, {
      definition: {
        triggers: [{ type: "abandoned_cart" }],
        exits: [{ on: { type: "made_purchase" } }],
        reentry: "always",
        parallel: "cart",
        steps: [
          { id: "mail", type: "message", channel: "email", template },
          { id: "rest", type: "wait", wait: { for: { n: 1, unit: "day" } } },
          { id: "tag", type: "add_tag", tag: "left a cart" },
        ],
      },
    }));
  // Somebody who has paused it while looking around wants it paused.
  const { state } = Automation.parse(await call("GET", `/v1/automations/${automation}`));
  if (state === "draft") await call("POST", `/v1/automations/${automation}/activation`, { action: "activate" });
}
