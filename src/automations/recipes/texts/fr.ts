import type { Texts } from "./texts";

export const fr: Texts = {
  greeting: "Bonjour {{ contact.first_name | default: text.there }},",
  abandoned_cart: {
    name: "Panier abandonné",
    description: "Rappelle le panier laissé, tout de suite puis un jour plus tard, jusqu'à l'achat.",
    mails: {
      reminder: {
        name: "Panier abandonné : rappel",
        subject: "Vous avez oublié quelque chose dans votre panier",
        preheader: "Nous l'avons gardé pour vous.",
        heading: "Encore une hésitation ?",
        paragraphs: ["Nous avons gardé votre panier. Un clic suffit pour le retrouver, sur n'importe quel appareil."],
      },
      last: {
        name: "Panier abandonné : un jour plus tard",
        subject: "Votre panier vous attend toujours",
        preheader: "Tout est encore là.",
        heading: "Votre panier vous attend toujours",
        paragraphs: [
          "Tout ce que vous avez choisi est encore là. Si quelque chose vous a retenu, répondez simplement à ce message.",
        ],
      },
    },
  },
  abandoned_checkout: {
    name: "Paiement abandonné",
    description: "Fait revenir ceux qui ont commencé à payer sans finir ; à utiliser à la place du panier abandonné.",
    mails: {
      reminder: {
        name: "Paiement abandonné : rappel",
        subject: "Votre commande est presque terminée",
        preheader: "Il ne manque que la dernière étape.",
        heading: "Il ne manque que la dernière étape",
        paragraphs: [
          "Vous étiez sur le point de terminer votre commande. Vous pouvez reprendre là où vous vous étiez arrêté.",
        ],
      },
      last: {
        name: "Paiement abandonné : un jour plus tard",
        subject: "Pouvons-nous vous aider pour votre commande ?",
        preheader: "Vous pouvez encore la terminer.",
        heading: "Pouvons-nous vous aider ?",
        paragraphs: [
          "Si quelque chose s'est mal passé au paiement, répondez à ce message et nous nous en occuperons. Votre commande est encore là :",
        ],
      },
    },
  },
  browse_abandonment: {
    name: "Visite sans panier",
    description:
      "Montre ce qui a été regardé sans être mis au panier, deux heures plus tard et au plus une fois par semaine.",
    mails: {
      reminder: {
        name: "Visite sans panier : rappel",
        subject: "Quelque chose vous a plu ?",
        preheader: "Le voici encore une fois.",
        heading: "Quelque chose vous a plu ?",
        paragraphs: ["Voici ce que vous avez regardé :"],
      },
    },
  },
  welcome: {
    name: "Bienvenue",
    description: "Accueille les nouveaux abonnés, et trois jours plus tard ceux qui n'ont pas encore commandé.",
    mails: {
      hello: {
        name: "Bienvenue : bonjour",
        subject: "Bienvenue chez {{ shop.name }}",
        preheader: "Heureux de vous compter parmi nous.",
        heading: "Bienvenue chez {{ shop.name }}",
        paragraphs: ["Merci de votre inscription. Vous serez parmi les premiers informés de nos nouveautés."],
        button: "Visiter la boutique",
      },
      first_order: {
        name: "Bienvenue : première commande",
        subject: "Ce que les autres aiment chez {{ shop.name }}",
        preheader: "Quelques idées pour commencer.",
        heading: "Quelques idées pour commencer",
        paragraphs: ["Vous ne savez pas par où commencer ? Voici ce que les autres aiment."],
        button: "Parcourir la boutique",
      },
    },
  },
  post_purchase: {
    name: "Après l'achat",
    description: "Remercie un jour après chaque commande, avec ce qui va bien avec.",
    mails: {
      thanks: {
        name: "Après l'achat : merci",
        subject: "Merci pour votre commande {{ order.name }}",
        preheader: "Nous espérons qu'elle vous plaira.",
        heading: "Merci pour votre commande",
        paragraphs: [
          "Nous espérons qu'elle vous plaira. Si nous pouvons vous aider, répondez simplement à ce message.",
        ],
      },
    },
  },
  win_back: {
    name: "Reconquête",
    description:
      "Écrit aux clients 60 jours après leur dernière commande, puis deux semaines plus tard, jusqu'à l'achat.",
    mails: {
      miss_you: {
        name: "Reconquête : cela fait un moment",
        subject: "Cela fait un moment",
        preheader: "Découvrez les nouveautés.",
        heading: "Cela fait un moment",
        paragraphs: [
          "Votre dernière commande remonte à quelque temps. Regardez ce qui pourrait vous plaire maintenant.",
        ],
        button: "Voir les nouveautés",
      },
      last: {
        name: "Reconquête : deux semaines plus tard",
        subject: "Nous aimerions vous revoir",
        preheader: "Quelques idées choisies pour vous.",
        heading: "Nous aimerions vous revoir",
        paragraphs: ["Voici quelques articles qui devraient vous convenir."],
        button: "Visiter la boutique",
      },
    },
  },
  vip: {
    name: "VIP",
    description: "Donne l'étiquette vip à la cinquième commande, et remercie.",
    mails: {
      thanks: {
        name: "VIP : merci",
        subject: "Merci de votre fidélité",
        preheader: "Vous comptez parmi nos meilleurs clients.",
        heading: "Vous comptez parmi nos meilleurs clients",
        paragraphs: [
          "Vous avez commandé {{ contact.orders_count }} fois. Merci ! Répondez à ce message dès que nous pouvons vous aider.",
        ],
        button: "Visiter la boutique",
      },
    },
  },
  review_request: {
    name: "Demande d'avis",
    description: "Demande un avis deux semaines après l'expédition d'une commande.",
    mails: {
      ask: {
        name: "Demande d'avis",
        subject: "Votre commande vous plaît-elle ?",
        preheader: "Votre avis aide les autres.",
        heading: "Cela vous plaît-il ?",
        paragraphs: [
          "Vous avez reçu votre commande {{ order.name }} il y a quelque temps. Dites-nous ce que vous en pensez : répondez simplement à ce message.",
        ],
      },
    },
  },
};
