import type { Texts } from "./texts";

export const en: Texts = {
  greeting: "Hello {{ contact.first_name | default: text.there }},",
  abandoned_cart: {
    name: "Abandoned cart",
    description: "Reminds people of the cart they left, at once and a day later, until they buy.",
    mails: {
      reminder: {
        name: "Abandoned cart: reminder",
        subject: "You left something in your cart",
        preheader: "We have kept it for you.",
        heading: "Still thinking it over?",
        paragraphs: ["We have kept your cart for you. One click brings it back, on any device."],
      },
      last: {
        name: "Abandoned cart: a day later",
        subject: "Your cart is still waiting",
        preheader: "It is all still there.",
        heading: "Your cart is still waiting",
        paragraphs: [
          "Everything you chose is still there. If something kept you from ordering, just answer this message.",
        ],
      },
    },
  },
  abandoned_checkout: {
    name: "Abandoned checkout",
    description: "Brings people back who began to pay and did not finish; use it in the place of the abandoned cart.",
    mails: {
      reminder: {
        name: "Abandoned checkout: reminder",
        subject: "Your order is almost complete",
        preheader: "Only the last step is missing.",
        heading: "Only the last step is missing",
        paragraphs: ["You were about to finish your order. You can go on where you stopped."],
      },
      last: {
        name: "Abandoned checkout: a day later",
        subject: "Can we help you with your order?",
        preheader: "You can still finish it.",
        heading: "Can we help?",
        paragraphs: [
          "If something went wrong at the checkout, answer this message and we will see to it. Your order is still here:",
        ],
      },
    },
  },
  browse_abandonment: {
    name: "Browse abandonment",
    description:
      "Shows people what they looked at and did not put into a cart, two hours later and at most once a week.",
    mails: {
      reminder: {
        name: "Browse abandonment: reminder",
        subject: "Seen something you like?",
        preheader: "Here it is once more.",
        heading: "Seen something you like?",
        paragraphs: ["Here is what you looked at:"],
      },
    },
  },
  welcome: {
    name: "Welcome",
    description: "Greets new subscribers, and three days later those who have not ordered yet.",
    mails: {
      hello: {
        name: "Welcome: hello",
        subject: "Welcome to {{ shop.name }}",
        preheader: "Good to have you here.",
        heading: "Welcome to {{ shop.name }}",
        paragraphs: ["Thank you for signing up. You will be the first to hear about what is new."],
        button: "Visit the shop",
      },
      first_order: {
        name: "Welcome: first order",
        subject: "What others like at {{ shop.name }}",
        preheader: "A few ideas to begin with.",
        heading: "A few ideas to begin with",
        paragraphs: ["Not sure where to start? This is what others like."],
        button: "Look around",
      },
    },
  },
  post_purchase: {
    name: "Post-purchase",
    description: "Says thank you a day after each order, with what goes well with it.",
    mails: {
      thanks: {
        name: "Post-purchase: thank you",
        subject: "Thank you for your order {{ order.name }}",
        preheader: "We hope you will enjoy it.",
        heading: "Thank you for your order",
        paragraphs: ["We hope you will enjoy it. If there is anything we can do, just answer this message."],
      },
    },
  },
  win_back: {
    name: "Win-back",
    description: "Writes to customers 60 days after their last order, and again two weeks later, until they buy.",
    mails: {
      miss_you: {
        name: "Win-back: it has been a while",
        subject: "It has been a while",
        preheader: "See what is new.",
        heading: "It has been a while",
        paragraphs: ["Your last order was some time ago. Have a look at what you may like now."],
        button: "See what is new",
      },
      last: {
        name: "Win-back: two weeks later",
        subject: "We would like to see you again",
        preheader: "A few ideas, chosen for you.",
        heading: "We would like to see you again",
        paragraphs: ["Here are a few things that we think would suit you."],
        button: "Visit the shop",
      },
    },
  },
  vip: {
    name: "VIP",
    description: "Tags people with their fifth order as vip, and thanks them.",
    mails: {
      thanks: {
        name: "VIP: thank you",
        subject: "Thank you for being with us",
        preheader: "You are one of our best customers.",
        heading: "You are one of our best customers",
        paragraphs: [
          "You have ordered {{ contact.orders_count }} times. Thank you! Answer this message whenever we can do something for you.",
        ],
        button: "Visit the shop",
      },
    },
  },
  review_request: {
    name: "Review request",
    description: "Asks two weeks after an order was shipped how people like it.",
    mails: {
      ask: {
        name: "Review request",
        subject: "How do you like your order?",
        preheader: "Your opinion helps others.",
        heading: "How do you like it?",
        paragraphs: [
          "You have had your order {{ order.name }} for a while. Tell us what you think: just answer this message.",
        ],
      },
    },
  },
};
