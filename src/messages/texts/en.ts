import type { Texts } from "./texts";

export const en: Texts = {
  language: "en",
  footer: { unsubscribe: "Unsubscribe", preferences: "Preferences", view: "View in browser" },
  stopFooter: "Reply STOP to opt out",
  stopped: (shop) => `${shop}: You are unsubscribed and will get no more marketing messages. Reply START to come back.`,
  started: (shop) => `${shop}: You are subscribed again. Reply STOP to opt out.`,
  help: (shop) => `${shop}: Reply STOP to get no more marketing messages, START to get them again.`,
  optIn: {
    subject: (shop) => `Please confirm your subscription to ${shop}`,
    lead: (shop) =>
      `Somebody, hopefully you, asked for news from ${shop} to this address. Please confirm that it was you.`,
    button: "Yes, subscribe me",
    ignore: "If it was not you, do nothing: you will get no further mail.",
    sms: (shop) => `${shop}: Please confirm that you want our messages`,
  },
  pages: {
    unsubscribeTitle: "Unsubscribe",
    unsubscribeLead: (shop, channel) => `Do you want no more marketing messages from ${shop} by ${channel}?`,
    unsubscribeButton: "Unsubscribe",
    unsubscribed: (shop, channel) => `You will get no more marketing messages from ${shop} by ${channel}.`,
    receiptsStay: "Messages about your own orders still come.",
    preferencesTitle: "Your preferences",
    preferencesLead: (shop) => `How may ${shop} write to you about offers and news?`,
    save: "Save",
    saved: "Saved.",
    leaveAll: "Unsubscribe from everything",
    confirmTitle: "Confirm your subscription",
    confirmLead: (shop) => `Press the button to get news from ${shop}.`,
    confirmButton: "Yes, subscribe me",
    confirmed: (shop) => `Thank you. You are subscribed to news from ${shop}.`,
    expired: "This link has expired.",
    gone: "This message is no longer kept.",
    channels: { email: "e-mail", sms: "text message", whatsapp: "WhatsApp" },
  },
};
