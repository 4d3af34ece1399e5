import type { Block } from "./document";
import { OPT_OUT_CALL, type PrivacyFacts } from "../privacy-facts";

const days = (count: number): string => (count === 1 ? "1 Tag" : `${count} Tage`);

/** The privacy text in German. */
export function german(facts: PrivacyFacts): Block[] {
  const { shop, cookie, isOnShopify } = facts;
  return [
    { kind: "heading", text: "Wie wir Besuche zählen" },
    {
      kind: "text",
      text: `${shop} nutzt Footfall, ein Programm, das wir selbst betreiben. Es zeigt uns, welche Seiten und Produkte angesehen werden, wie Besucher zu uns kommen und was aus Warenkörben wird. Außerdem bewahrt es Kontaktdaten und Bestellungen unserer Kunden auf, damit wir ihnen antworten und schreiben können.`,
    },
    { kind: "heading", text: "Ihre Wahl" },
    ...consent(facts),
    {
      kind: "text",
      text: "Sie können sich jederzeit anders entscheiden. Die Schaltfläche unten löscht, was über diesen Browser bekannt ist, hier und bei uns, und sorgt dafür, dass er nicht wieder erfasst wird.",
    },
    {
      kind: "button",
      label: "Daten löschen und diesen Browser nicht erfassen",
      call: OPT_OUT_CALL,
      text: `Um abzulehnen und löschen zu lassen, was über diesen Browser bekannt ist, nutzen Sie die Datenschutz-Schaltfläche unserer Website oder führen Sie dort in der Konsole des Browsers ${OPT_OUT_CALL} aus.`,
    },
    { kind: "heading", text: "Was auf unseren Seiten erhoben wird" },
    { kind: "list", items: collected(facts) },
    {
      kind: "text",
      text: "Ihre IP-Adresse wird verwendet, um zu antworten, Land, Region und Ort zu bestimmen und Missbrauch zu begrenzen. Gespeichert wird sie nicht. Passwörter, Zahlungskarten und versteckte Felder werden nie gelesen.",
    },
    {
      kind: "text",
      text: `Solange Sie nichts über sich sagen, hat ein Besuch keinen Namen. Mit Ihren Kontaktdaten verbunden wird er, wenn Sie eine E-Mail-Adresse oder Telefonnummer angeben (in einem Anmeldeformular oder an der Kasse), wenn Sie einen persönlichen Link in einer unserer Nachrichten öffnen${isOnShopify ? " oder wenn Sie sich in Ihrem Kundenkonto anmelden" : ""}; frühere Besuche desselben Browsers gehören dann ebenfalls dazu.`,
    },
    { kind: "heading", text: "Was in Ihrem Browser gespeichert wird" },
    {
      kind: "table",
      head: ["Name", "Wo", "Wozu", "Wie lange"],
      rows: [
        [
          cookie.name,
          "Cookie und Local Storage",
          "erkennt den Browser wieder: eine Zufallszahl",
          `${days(cookie.days)} nach dem letzten Besuch`,
        ],
        [facts.storage.queue, "Local Storage", "was noch nicht gesendet werden konnte", "bis es gesendet ist"],
        [facts.storage.consent, "Local Storage", "Ihre Entscheidung", "bis Sie sie ändern"],
        [
          facts.storage.excluded,
          "Local Storage",
          "dass dieser Browser gar nicht gezählt wird",
          "bis das aufgehoben wird",
        ],
        [facts.storage.forget, "Local Storage", "dass dieser Browser noch zu löschen ist", "bis er gelöscht ist"],
        ...(isOnShopify
          ? [
              [facts.storage.cart, "Local Storage", "der Warenkorb, wie er zuletzt gezählt wurde", "bis Sie ablehnen"],
              [
                facts.storage.customer,
                "Session Storage",
                "dass bekannt ist, wer angemeldet ist",
                "bis der Tab geschlossen wird",
              ],
            ]
          : []),
      ],
    },
    { kind: "heading", text: "Wie lange wir es aufbewahren" },
    { kind: "list", items: retention(facts) },
    { kind: "heading", text: "Wer es erhält" },
    { kind: "list", items: recipients(facts) },
    {
      kind: "text",
      text: "Es wird nicht verkauft, und kein Werbenetzwerk erhält es über Footfall.",
    },
    { kind: "heading", text: "Ihre Rechte" },
    {
      kind: "text",
      text: "Sie können uns fragen, was über Sie gespeichert ist, es berichtigen, ausgeben oder löschen lassen und der Verwendung widersprechen. Wird eine Person gelöscht, so verschwinden Kontaktdaten, Besuche und Nachrichten; was wir gesetzlich aufbewahren müssen, etwa Rechnungen, ist nicht Teil von Footfall.",
    },
  ];
}

function consent({ mode, optInCountries, isOnShopify }: PrivacyFacts): Block[] {
  const names = new Intl.DisplayNames("de", { type: "region" });
  const asked = "Bevor Sie zustimmen, wird nichts in Ihrem Browser gespeichert und nichts gesendet.";
  const free =
    "Besuche werden gezählt, bis Sie ablehnen. Ein Browser, der Global Privacy Control sendet, gilt als einer, der abgelehnt hat.";
  const texts = {
    opt_in: [`Wir erfassen einen Besuch nur mit Ihrer Einwilligung. ${asked}`],
    opt_out: [free],
    region: [
      `Wo das Gesetz es verlangt, erfassen wir einen Besuch nur mit Ihrer Einwilligung, und zwar in folgenden Ländern: ${optInCountries.map((code) => names.of(code) ?? code).join(", ")}; ebenso überall, wo wir das Land nicht erkennen. ${asked}`,
      `In allen anderen Ländern gilt: ${free}`,
    ],
  }[mode];
  const shopify = "Auf den Seiten unseres Shops gilt die Antwort, die Sie im Cookie-Hinweis des Shops geben.";
  return [...texts, ...(isOnShopify ? [shopify] : [])].map((text) => ({ kind: "text", text }));
}

function collected({ isOnShopify, keptParams }: PrivacyFacts): string[] {
  const kept = keptParams.length === 0 ? "" : ` und diese Parameter: ${keptParams.join(", ")}`;
  return [
    `Seiten: Adresse (von ihren Parametern nur die von Kampagnen${kept}), Titel, Zeit und die Seite, von der aus sie geöffnet wurde`,
    "angesehene Produkte, Kategorien und Suchen, der Warenkorb, die Schritte der Kasse sowie Nummer und Wert der Bestellung",
    "Art des Geräts, Namen von Browser und Betriebssystem; Land, Region und Ort, die Lage auf etwa zehn Kilometer, ihre Zeitzone und die Sprache Ihres Browsers",
    "was Sie in ein dafür gekennzeichnetes Formular eingeben: E-Mail-Adresse, Telefonnummer, Name und ob Sie von uns hören möchten",
    ...(isOnShopify
      ? [
          "aus unserem Shop bei Shopify: Kundenkonto, Adressen, Bestellungen und Ihre Entscheidungen über Nachrichten",
          "wenn Sie in Ihrem Kundenkonto angemeldet sind: dessen Nummer, vom Shop bestätigt",
        ]
      : []),
  ];
}

function retention({ retention: kept, isOnShopify }: PrivacyFacts): string[] {
  return [
    kept.events === 0
      ? "einzelne Ereignisse von Besuchen: bis sie gelöscht werden"
      : `einzelne Ereignisse von Besuchen: ${days(kept.events)}`,
    kept.visitors === 0
      ? "Besucher ohne Namen: bis sie gelöscht werden"
      : `Besucher ohne Namen: ${days(kept.visitors)} nach dem letzten Besuch`,
    "Kontakte mit allem, was zu ihnen gehört: bis sie gelöscht werden",
    ...(isOnShopify ? [`Meldungen des Shops bei Shopify, wie sie eingegangen sind: ${days(kept.webhookBodies)}`] : []),
    `gelöschte Kontakte: endgültig fort nach Ablauf von: ${days(kept.trash)}`,
  ];
}

function recipients({ isOnShopify, recipients: hosts }: PrivacyFacts): string[] {
  return [
    "Cloudflare, in dessen Rechenzentren Footfall unter unserem eigenen Konto läuft",
    ...(isOnShopify
      ? [
          "Shopify, das unseren Shop betreibt: Ein Warenkorb trägt die Nummer des Browsers, damit eine Bestellung ihre Besuche findet; die Besuche selbst gehen nicht dorthin",
        ]
      : []),
    ...(hosts.length > 0 ? [`eigene Systeme, denen Ereignisse gemeldet werden: ${hosts.join(", ")}`] : []),
  ];
}
