import type { Texts } from "./texts";

export const fr: Texts = {
  language: "fr",
  footer: { unsubscribe: "Se désabonner", preferences: "Préférences", view: "Voir dans le navigateur" },
  stopFooter: "Répondez ARRET pour ne plus recevoir",
  stopped: (shop) =>
    `${shop} : vous êtes désabonné et ne recevrez plus de messages publicitaires. Répondez START pour revenir.`,
  started: (shop) => `${shop} : vous êtes de nouveau abonné. Répondez ARRET pour vous désabonner.`,
  help: (shop) => `${shop} : répondez ARRET pour ne plus recevoir de publicité, START pour en recevoir à nouveau.`,
  optIn: {
    subject: (shop) => `Confirmez votre abonnement à ${shop}`,
    lead: (shop) =>
      `Quelqu'un, vous sans doute, a demandé à recevoir les nouvelles de ${shop} à cette adresse. Confirmez que c'est bien vous.`,
    button: "Oui, je m'abonne",
    ignore: "Si ce n'était pas vous, ne faites rien : vous ne recevrez aucun autre message.",
    sms: (shop) => `${shop} : confirmez que vous souhaitez recevoir nos messages`,
  },
  pages: {
    unsubscribeTitle: "Se désabonner",
    unsubscribeLead: (shop, channel) => `Ne plus recevoir de messages publicitaires de ${shop} par ${channel} ?`,
    unsubscribeButton: "Se désabonner",
    unsubscribed: (shop, channel) => `Vous ne recevrez plus de messages publicitaires de ${shop} par ${channel}.`,
    receiptsStay: "Les messages concernant vos propres commandes continuent d'arriver.",
    preferencesTitle: "Vos préférences",
    preferencesLead: (shop) => `Comment ${shop} peut-il vous écrire au sujet de ses offres et nouveautés ?`,
    save: "Enregistrer",
    saved: "Enregistré.",
    leaveAll: "Se désabonner de tout",
    confirmTitle: "Confirmez votre abonnement",
    confirmLead: (shop) => `Appuyez sur le bouton pour recevoir les nouvelles de ${shop}.`,
    confirmButton: "Oui, je m'abonne",
    confirmed: (shop) => `Merci. Vous êtes abonné aux nouvelles de ${shop}.`,
    expired: "Ce lien a expiré.",
    gone: "Ce message n'est plus conservé.",
    channels: { email: "e-mail", sms: "SMS", whatsapp: "WhatsApp" },
  },
};
