/** Everything that a shopper reads and that no merchant wrote. A language is a file with all of these. */
export interface Texts {
  /** BCP 47, for `lang` attributes. */
  language: string;
  /** Footer of a marketing mail. */
  footer: {
    unsubscribe: string;
    preferences: string;
    view: string;
  };
  /** Ends a marketing text message; in letters of the GSM alphabet, so that it costs no longer segments. */
  stopFooter: string;
  /** Answers to a STOP, START or HELP word. `shop` is the shop's name. */
  stopped: (shop: string) => string;
  started: (shop: string) => string;
  help: (shop: string) => string;
  optIn: {
    subject: (shop: string) => string;
    lead: (shop: string) => string;
    button: string;
    ignore: string;
    /** The whole text message, but for the link. */
    sms: (shop: string) => string;
  };
  pages: {
    unsubscribeTitle: string;
    unsubscribeLead: (shop: string, channel: string) => string;
    unsubscribeButton: string;
    unsubscribed: (shop: string, channel: string) => string;
    receiptsStay: string;
    preferencesTitle: string;
    preferencesLead: (shop: string) => string;
    save: string;
    saved: string;
    leaveAll: string;
    confirmTitle: string;
    confirmLead: (shop: string) => string;
    confirmButton: string;
    confirmed: (shop: string) => string;
    expired: string;
    gone: string;
    channels: { email: string; sms: string; whatsapp: string };
  };
}
