import type { Texts } from "./texts";

export const pt: Texts = {
  language: "pt",
  footer: { unsubscribe: "Cancelar inscrição", preferences: "Preferências", view: "Ver no navegador" },
  stopFooter: "Responda PARE para sair",
  stopped: (shop) =>
    `${shop}: a sua inscrição foi cancelada e não receberá mais mensagens de marketing. Responda START para voltar.`,
  started: (shop) => `${shop}: a sua inscrição está ativa de novo. Responda PARE para sair.`,
  help: (shop) =>
    `${shop}: responda PARE para não receber mais mensagens de marketing, START para voltar a recebê-las.`,
  optIn: {
    subject: (shop) => `Confirme a sua inscrição em ${shop}`,
    lead: (shop) =>
      `Alguém, provavelmente você, pediu para receber novidades de ${shop} neste endereço. Confirme que foi você.`,
    button: "Sim, quero receber",
    ignore: "Se não foi você, não faça nada: não receberá mais nenhuma mensagem.",
    sms: (shop) => `${shop}: confirme que deseja receber as nossas mensagens`,
  },
  pages: {
    unsubscribeTitle: "Cancelar inscrição",
    unsubscribeLead: (shop, channel) => `Deseja não receber mais mensagens de marketing de ${shop} por ${channel}?`,
    unsubscribeButton: "Cancelar inscrição",
    unsubscribed: (shop, channel) => `Não receberá mais mensagens de marketing de ${shop} por ${channel}.`,
    receiptsStay: "As mensagens sobre os seus próprios pedidos continuam a chegar.",
    preferencesTitle: "As suas preferências",
    preferencesLead: (shop) => `Como ${shop} pode lhe escrever sobre ofertas e novidades?`,
    save: "Salvar",
    saved: "Salvo.",
    leaveAll: "Cancelar tudo",
    confirmTitle: "Confirme a sua inscrição",
    confirmLead: (shop) => `Toque no botão para receber novidades de ${shop}.`,
    confirmButton: "Sim, quero receber",
    confirmed: (shop) => `Obrigado. A sua inscrição nas novidades de ${shop} está confirmada.`,
    expired: "Este link expirou.",
    gone: "Esta mensagem já não está guardada.",
    channels: { email: "e-mail", sms: "SMS", whatsapp: "WhatsApp" },
  },
};
