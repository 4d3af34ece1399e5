/** What one message says. Liquid and MJML text: `&` and `<` are written as entities. */
export interface MailText {
  /** The template's name in the dashboard. */
  name: string;
  subject: string;
  preheader: string;
  heading: string;
  paragraphs: string[];
  /** Label of the button, for messages whose block has none. */
  button?: string;
}

/** What a recipe is called, what it does, and what its messages say. */
export interface RecipeText<Part extends string> {
  name: string;
  description: string;
  mails: Record<Part, MailText>;
}

export interface Texts {
  /** How a message begins; `there` stands for the first name. */
  greeting: string;
  abandoned_cart: RecipeText<"reminder" | "last">;
  abandoned_checkout: RecipeText<"reminder" | "last">;
  browse_abandonment: RecipeText<"reminder">;
  welcome: RecipeText<"hello" | "first_order">;
  post_purchase: RecipeText<"thanks">;
  win_back: RecipeText<"miss_you" | "last">;
  vip: RecipeText<"thanks">;
  review_request: RecipeText<"ask">;
}

export type RecipeName = Exclude<keyof Texts, "greeting">;
