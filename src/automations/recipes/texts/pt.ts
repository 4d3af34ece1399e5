import type { Texts } from "./texts";

export const pt: Texts = {
  greeting: "Olá {{ contact.first_name | default: text.there }},",
  abandoned_cart: {
    name: "Carrinho abandonado",
    description: "Lembra o carrinho deixado, logo e um dia depois, até à compra.",
    mails: {
      reminder: {
        name: "Carrinho abandonado: lembrete",
        subject: "Deixou algo no seu carrinho",
        preheader: "Guardámo-lo para si.",
        heading: "Ainda a pensar?",
        paragraphs: ["Guardámos o seu carrinho. Com um clique volta a tê-lo, em qualquer dispositivo."],
      },
      last: {
        name: "Carrinho abandonado: um dia depois",
        subject: "O seu carrinho continua à espera",
        preheader: "Está tudo lá.",
        heading: "O seu carrinho continua à espera",
        paragraphs: [
          "Tudo o que escolheu continua lá. Se algo o impediu de encomendar, basta responder a esta mensagem.",
        ],
      },
    },
  },
  abandoned_checkout: {
    name: "Pagamento abandonado",
    description: "Traz de volta quem começou a pagar e não terminou; use-o em vez do carrinho abandonado.",
    mails: {
      reminder: {
        name: "Pagamento abandonado: lembrete",
        subject: "A sua encomenda está quase completa",
        preheader: "Só falta o último passo.",
        heading: "Só falta o último passo",
        paragraphs: ["Estava prestes a terminar a sua encomenda. Pode continuar onde parou."],
      },
      last: {
        name: "Pagamento abandonado: um dia depois",
        subject: "Podemos ajudar com a sua encomenda?",
        preheader: "Ainda pode terminá-la.",
        heading: "Podemos ajudar?",
        paragraphs: [
          "Se algo correu mal no pagamento, responda a esta mensagem e tratamos disso. A sua encomenda continua aqui:",
        ],
      },
    },
  },
  browse_abandonment: {
    name: "Visita sem carrinho",
    description: "Mostra o que foi visto e não foi para o carrinho, duas horas depois e no máximo uma vez por semana.",
    mails: {
      reminder: {
        name: "Visita sem carrinho: lembrete",
        subject: "Viu algo de que gostou?",
        preheader: "Aqui está outra vez.",
        heading: "Viu algo de que gostou?",
        paragraphs: ["Eis o que esteve a ver:"],
      },
    },
  },
  welcome: {
    name: "Boas-vindas",
    description: "Recebe os novos subscritores e, três dias depois, quem ainda não encomendou.",
    mails: {
      hello: {
        name: "Boas-vindas: olá",
        subject: "Bem-vindo à {{ shop.name }}",
        preheader: "É bom tê-lo connosco.",
        heading: "Bem-vindo à {{ shop.name }}",
        paragraphs: ["Obrigado por se inscrever. Será dos primeiros a saber das novidades."],
        button: "Visitar a loja",
      },
      first_order: {
        name: "Boas-vindas: primeira encomenda",
        subject: "O que os outros preferem na {{ shop.name }}",
        preheader: "Algumas ideias para começar.",
        heading: "Algumas ideias para começar",
        paragraphs: ["Não sabe por onde começar? Eis o que os outros preferem."],
        button: "Ver a loja",
      },
    },
  },
  post_purchase: {
    name: "Depois da compra",
    description: "Agradece um dia depois de cada encomenda, com o que combina com ela.",
    mails: {
      thanks: {
        name: "Depois da compra: obrigado",
        subject: "Obrigado pela sua encomenda {{ order.name }}",
        preheader: "Esperamos que goste.",
        heading: "Obrigado pela sua encomenda",
        paragraphs: ["Esperamos que goste. Se pudermos ajudar em algo, basta responder a esta mensagem."],
      },
    },
  },
  win_back: {
    name: "Reconquista",
    description:
      "Escreve aos clientes 60 dias depois da última encomenda e de novo duas semanas mais tarde, até à compra.",
    mails: {
      miss_you: {
        name: "Reconquista: já faz algum tempo",
        subject: "Já faz algum tempo",
        preheader: "Veja as novidades.",
        heading: "Já faz algum tempo",
        paragraphs: ["A sua última encomenda já foi há algum tempo. Veja o que lhe pode agradar agora."],
        button: "Ver as novidades",
      },
      last: {
        name: "Reconquista: duas semanas depois",
        subject: "Gostávamos de o ver de novo",
        preheader: "Algumas ideias escolhidas para si.",
        heading: "Gostávamos de o ver de novo",
        paragraphs: ["Eis alguns artigos que achamos que lhe vão agradar."],
        button: "Visitar a loja",
      },
    },
  },
  vip: {
    name: "VIP",
    description: "Dá a etiqueta vip à quinta encomenda e agradece.",
    mails: {
      thanks: {
        name: "VIP: obrigado",
        subject: "Obrigado pela sua preferência",
        preheader: "É um dos nossos melhores clientes.",
        heading: "É um dos nossos melhores clientes",
        paragraphs: [
          "Já encomendou {{ contact.orders_count }} vezes. Obrigado! Responda a esta mensagem sempre que pudermos ajudar.",
        ],
        button: "Visitar a loja",
      },
    },
  },
  review_request: {
    name: "Pedido de opinião",
    description: "Pergunta, duas semanas depois do envio de uma encomenda, se gostaram dela.",
    mails: {
      ask: {
        name: "Pedido de opinião",
        subject: "Gostou da sua encomenda?",
        preheader: "A sua opinião ajuda os outros.",
        heading: "Gostou?",
        paragraphs: [
          "Já tem a sua encomenda {{ order.name }} há algum tempo. Diga-nos o que acha: basta responder a esta mensagem.",
        ],
      },
    },
  },
};
