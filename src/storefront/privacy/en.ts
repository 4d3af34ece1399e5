import type { Block } from "./document";
import { OPT_OUT_CALL, type PrivacyFacts } from "../privacy-facts";

const days = (count: number): string => (count === 1 ? "1 day" : `${count} days`);

/** The privacy text in English. */
export function english(facts: PrivacyFacts): Block[] {
  const { shop, cookie, isOnShopify } = facts;
  return [
    { kind: "heading", text: "How we count visits" },
    {
      kind: "text",
      text: `${shop} uses Footfall, a program that we run ourselves, to see which pages and products are looked at, how people come to us, and what becomes of carts. It also keeps our customers' contact details and orders, so that we can answer and write to them.`,
    },
    { kind: "heading", text: "Your choice" },
    ...consent(facts),
    {
      kind: "text",
      text: "You can change your mind at any time. The button below erases what is known of this browser, here and with us, and keeps it from being followed again.",
    },
    {
      kind: "button",
      label: "Erase and do not follow this browser",
      call: OPT_OUT_CALL,
      text: `To refuse, and to have what is known of this browser erased, use the privacy button of our website, or run ${OPT_OUT_CALL} in the browser's console there.`,
    },
    { kind: "heading", text: "What is collected on our pages" },
    { kind: "list", items: collected(facts) },
    {
      kind: "text",
      text: "Your IP address is used to answer, to work out country, region and city, and to limit abuse. It is not stored. The text of passwords, payment cards and hidden fields is never read.",
    },
    {
      kind: "text",
      text: `As long as you tell us nothing about yourself, a visit has no name. It is joined to your contact details when you give an e-mail address or phone number (in a sign-up form or at the checkout), when you open a personal link in one of our messages${isOnShopify ? ", or when you sign in to your customer account" : ""}; earlier visits of the same browser then belong to them as well.`,
    },
    { kind: "heading", text: "What is stored in your browser" },
    {
      kind: "table",
      head: ["Name", "Where", "What for", "How long"],
      rows: [
        [
          cookie.name,
          "cookie and local storage",
          "recognises the browser: a random number",
          `${days(cookie.days)} after the last visit`,
        ],
        [facts.storage.queue, "local storage", "what could not be sent yet", "until it is sent"],
        [facts.storage.consent, "local storage", "your decision", "until you change it"],
        [facts.storage.excluded, "local storage", "that this browser is not counted at all", "until that is undone"],
        [facts.storage.forget, "local storage", "that this browser is still to be erased", "until it is erased"],
        ...(isOnShopify
          ? [
              [facts.storage.cart, "local storage", "the cart as it was last counted", "until you refuse"],
              [
                facts.storage.customer,
                "session storage",
                "that it is known who is signed in",
                "until the tab is closed",
              ],
            ]
          : []),
      ],
    },
    { kind: "heading", text: "How long we keep it" },
    { kind: "list", items: retention(facts) },
    { kind: "heading", text: "Who receives it" },
    { kind: "list", items: recipients(facts) },
    {
      kind: "text",
      text: "It is not sold, and no advertising network receives it through Footfall.",
    },
    { kind: "heading", text: "Your rights" },
    {
      kind: "text",
      text: "You may ask us what is stored about you, have it corrected, exported or erased, and object to its use. Erasing a person removes contact details, visits and messages; records that the law makes us keep, such as invoices, are not part of Footfall.",
    },
  ];
}

function consent({ mode, optInCountries, isOnShopify }: PrivacyFacts): Block[] {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const asked = "Before you agree, nothing is stored in your browser and nothing is sent.";
  const free =
    "Visits are counted until you refuse. A browser that sends Global Privacy Control counts as one that has refused.";
  const texts = {
    opt_in: [`We follow a visit only with your consent. ${asked}`],
    opt_out: [free],
    region: [
      `Where the law asks for it, we follow a visit only with your consent: in ${optInCountries.map((code) => names.of(code) ?? code).join(", ")}, and wherever we cannot tell the country. ${asked}`,
      `In all other countries: ${free}`,
    ],
  }[mode];
  const shopify = "On our store's pages, the answer that you give in the store's cookie banner is the one that counts.";
  return [...texts, ...(isOnShopify ? [shopify] : [])].map((text) => ({ kind: "text", text }));
}

function collected({ isOnShopify, keptParams }: PrivacyFacts): string[] {
  const kept = keptParams.length === 0 ? "" : ` and these parameters: ${keptParams.join(", ")}`;
  return [
    `pages: address (of its parameters only those of campaigns${kept}), title, time, and the page that led to it`,
    "products, collections and searches that are looked at, the cart, the steps of the checkout and the order's number and value",
    "kind of device, names of browser and operating system; country, region and city, the place to about ten kilometres, its time zone, and your browser's language",
    "what you enter in a form that is marked for it: e-mail address, phone number, name and whether you want to hear from us",
    ...(isOnShopify
      ? [
          "from our store at Shopify: your customer account, addresses, orders, and your decisions about messages",
          "when you are signed in to your customer account: its number, confirmed by the store",
        ]
      : []),
  ];
}

function retention({ retention: kept, isOnShopify }: PrivacyFacts): string[] {
  return [
    kept.events === 0
      ? "single events of visits: until they are erased"
      : `single events of visits: ${days(kept.events)}`,
    kept.visitors === 0
      ? "visitors without a name: until they are erased"
      : `visitors without a name: ${days(kept.visitors)} after their last visit`,
    "contacts with what belongs to them: until they are erased",
    ...(isOnShopify ? [`what the store at Shopify reports, as it was received: ${days(kept.webhookBodies)}`] : []),
    `deleted contacts: gone for good after ${days(kept.trash)}`,
  ];
}

function recipients({ isOnShopify, recipients: hosts }: PrivacyFacts): string[] {
  return [
    "Cloudflare, in whose data centres Footfall runs under our own account",
    ...(isOnShopify
      ? [
          "Shopify, which runs our store: a cart carries the browser's number, so that an order finds its visits; the visits themselves are not sent there",
        ]
      : []),
    ...(hosts.length > 0 ? [`systems of ours that are told of events: ${hosts.join(", ")}`] : []),
  ];
}
