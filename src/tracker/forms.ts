import { on } from "./guard.ts";
import { add } from "./queue.ts";
import { config } from "./settings.ts";

/**
 * Sign-up forms that the shop has marked: who signs up, and whether the marketing box is ticked. Only text, e-mail
 * and telephone fields with a known meaning are read: never a password, a hidden value or a card.
 */
export const watchForms = (): void =>
  on<SubmitEvent>("submit", ({ target }) => {
    const form = target as HTMLFormElement;
    if (!form.matches(config.forms || "[data-footfall]")) return;
    const who: Record<string, unknown> = {};
    for (const { type, name, value } of form.querySelectorAll("input")) {
      const meaning = /^(?:text.*)?(email|^tel|phone|(fir|la)st.?name)/i.exec(type + name)?.[1];
      if (meaning && value) who[meaning.toLowerCase().replace("tel", "phone").replace(/st.?n/, "stN")] = value;
    }
    if (form.querySelector("[name*=accepts_marketing]:checked,[data-footfall-consent]:checked"))
      who["consent"] = { email: true };
    add("form_submitted", { id: form.getAttribute("id"), name: form.getAttribute("name") });
    if (who["email"] || who["phone"]) add("identified", who);
  });
