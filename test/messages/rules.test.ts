import { expect, test } from "vitest";

import { keywordIn } from "../../src/messages/keywords";
import { afterCall } from "../../src/messages/outcome";
import { nextMoment } from "../../src/messages/quiet";
import { countSegments, tellsHowToStop, withStopFooter } from "../../src/messages/text-message";
import { textsFor } from "../../src/messages/texts";
import { track } from "../../src/messages/track";
import { zoneOf } from "../../src/messages/zones";
import { MINUTE } from "../helpers/clock";

test.each([
  ["a".repeat(160), "GSM-7", 1],
  ["a".repeat(161), "GSM-7", 2],
  ["a".repeat(306), "GSM-7", 2],
  ["a".repeat(307), "GSM-7", 3],
  [`${"a".repeat(158)}€`, "GSM-7", 1],
  [`${"a".repeat(159)}€`, "GSM-7", 2],
  ["ç".repeat(70), "UCS-2", 1],
  ["ç".repeat(71), "UCS-2", 2],
  ["é".repeat(160), "GSM-7", 1],
  ["😀".repeat(35), "UCS-2", 1],
  ["😀".repeat(36), "UCS-2", 2],
  [`${"ç".repeat(66)}😀${"ç".repeat(66)}`, "UCS-2", 3],
])("C15: segments of %s are counted as carriers do", (text, encoding, segments) => {
  expect(countSegments(text)).toEqual({ encoding, segments });
});

test.each([
  ["Sale today", false],
  ["Stop by our store", false],
  ["NON-STOP SALE", false],
  ["A weekend to remember", false],
  ["Sale. Reply STOP to opt out", true],
  ["Txt stop 2 end", true],
  ["STOP=leave", false],
  ["STOP to opt out", true],
  ["Responda PARE para sair", true],
  ["Répondez ARRÊT", true],
  ['Send "STOP"', true],
])("C15: %s tells how to stop: %s", (text, tells) => {
  expect(tellsHowToStop(text)).toBe(tells);
  const once = withStopFooter(text, textsFor("en").stopFooter);
  expect(withStopFooter(once, textsFor("en").stopFooter)).toBe(once);
});

test("C15: footers of every language say how to stop in letters of the GSM alphabet, and the word works", () => {
  for (const language of ["en", "fr", "pt"]) {
    const { stopFooter } = textsFor(language);
    expect(tellsHowToStop(stopFooter)).toBe(true);
    expect(countSegments(stopFooter).encoding).toBe("GSM-7");
    const word = /[A-Z]{4,}/.exec(stopFooter)?.[0] ?? "";
    expect(keywordIn(word)).toMatchObject({ kind: "stop" });
  }
});

test.each([
  ["STOP", "stop"],
  ["«Arrêt»", "stop"],
  ["arręt", "stop"],
  ["PARE.", "stop"],
  ["opt-out", "stop"],
  ["STOPALL", "stop"],
  ["Start", "start"],
  ["ayuda?", "help"],
  ["SIM", "yes"],
  ["stop please", null],
  ["stopit", null],
  ["", null],
  ["!!", null],
  ["👍", null],
])("the word %s means %s", (text, kind) => {
  expect(keywordIn(text)?.kind ?? null).toBe(kind);
});

const at = (iso: string) => Date.parse(iso);

test.each([
  // Quiet 21:00 to 08:00 in Berlin; summer time begins on 2035-03-25 and ends on 2035-10-28.
  ["2035-01-15T12:00:00Z", "2035-01-15T12:00:00Z"],
  ["2035-01-15T20:00:00Z", "2035-01-16T07:00:00Z"],
  ["2035-01-15T19:59:59Z", "2035-01-15T19:59:59Z"],
  ["2035-03-24T21:00:00Z", "2035-03-25T06:00:00Z"],
  ["2035-10-27T22:00:00Z", "2035-10-28T07:00:00Z"],
  ["2035-01-16T06:59:59Z", "2035-01-16T07:00:00Z"],
])("D9: a message due at %s goes out at %s", (due, sent) => {
  const window = { quiet: { from: "21:00", to: "08:00" }, weekdays: null };
  expect(nextMoment(at(due), "Europe/Berlin", window)).toBe(at(sent));
});

test("D9: days without sending are waited for, and an hour that a clock change skips begins when the skip ends", () => {
  const weekdays = [1, 2, 3, 4, 5];
  expect(nextMoment(at("2035-01-20T12:00:00Z"), "Europe/Berlin", { quiet: null, weekdays })).toBe(
    at("2035-01-21T23:00:00Z"),
  );
  const skipped = { quiet: { from: "22:00", to: "02:30" }, weekdays: null };
  expect(nextMoment(at("2035-03-25T00:00:00Z"), "Europe/Berlin", skipped)).toBe(at("2035-03-25T01:30:00Z"));
  expect(nextMoment(0, "Europe/Berlin", { quiet: null, weekdays: [] })).toBeNull();
});

test("whose clock counts: the browser's, the address', the number's, the shop's", () => {
  const nobody = { browserZone: null, country: null, province: null, phone: null };
  expect(zoneOf({ ...nobody, browserZone: "Asia/Tokyo", country: "FR" }, "UTC")).toBe("Asia/Tokyo");
  expect(zoneOf({ ...nobody, browserZone: "No/Where", country: "US", province: "CA" }, "UTC")).toBe(
    "America/Los_Angeles",
  );
  // Shopify's addresses name the country.
  expect(zoneOf({ ...nobody, country: "United States", province: "New York" }, "UTC")).toBe("America/New_York");
  expect(zoneOf({ ...nobody, phone: "+351912345678" }, "UTC")).toBe("Europe/Lisbon");
  expect(zoneOf(nobody, "Europe/Rome")).toBe("Europe/Rome");
});

test("links are rewritten by their index, once each; our own, mailto and tel are not", async () => {
  const html =
    '<a href="https://a.example/?x=1&amp;y=2">1</a><a href="https://a.example/?x=1&amp;y=2">2</a><a href="tel:1">3</a><a href="https://f.test/m/u/x">4</a><a href="{bad">5</a>';
  const text = "See https://a.example/?x=1&y=2, or https://b.example/p.";
  const tracking = {
    clickUrl: (index: number) => Promise.resolve(`https://f.test/m/c/${index}`),
    openUrl: "https://f.test/m/o/1",
    clicks: true,
    own: ["https://f.test/m/"],
    utm: {},
  };
  const tracked = await track({ html, text }, tracking);
  expect(tracked.links).toEqual(["https://a.example/?x=1&y=2", "https://b.example/p"]);
  expect(tracked.text).toBe("See https://f.test/m/c/0, or https://f.test/m/c/1.");
  expect(tracked.html).toContain(
    '<a href="https://f.test/m/c/0">1</a><a href="https://f.test/m/c/0">2</a><a href="tel:1">',
  );
  expect(tracked.html).toContain('<a href="https://f.test/m/u/x">4</a>');
  expect(tracked.html).toContain("https://f.test/m/o/1");
  const signed = await track(
    { html: null, text: "https://s.example/?sig=a%2Fb&utm_source=x" },
    { ...tracking, clicks: false, utm: { utm_source: "f", utm_medium: "sms" } },
  );
  expect(signed.text).toBe("https://s.example/?sig=a%2Fb&utm_source=x&utm_medium=sms");
});

test("what becomes of a call: retries back off, and what may have been taken is repeated only within the provider's window", () => {
  const told = { idempotencyMs: 60 * MINUTE, calledAt: 0, mayHaveIt: false, attempts: 1 };
  expect(afterCall({ kind: "unknown", code: "t" }, told, 0, 0)).toMatchObject({
    kind: "again",
    called: true,
    dueAt: 30_000,
  });
  expect(afterCall({ kind: "unknown", code: "t" }, { ...told, idempotencyMs: 0 }, 0, 0)).toMatchObject({
    kind: "unknown",
  });
  expect(afterCall({ kind: "unknown", code: "t" }, { ...told, attempts: 5 }, 0, 0)).toMatchObject({ kind: "unknown" });
  expect(afterCall({ kind: "retry", code: "r", afterMs: 1 }, { ...told, mayHaveIt: true }, 0, 0)).toMatchObject({
    called: true,
  });
  expect(afterCall({ kind: "retry", code: "r", afterMs: 7 * MINUTE }, told, 0, 0)).toMatchObject({
    called: false,
    dueAt: 7 * MINUTE,
  });
  expect(afterCall({ kind: "retry", code: "r", afterMs: 1 }, { ...told, attempts: 9 }, 0, 0)).toMatchObject({
    kind: "failed",
  });
  expect(afterCall({ kind: "refused", code: "no", permanent: true }, told, 0, 0)).toEqual({
    kind: "failed",
    reason: "provider:no",
  });
  expect(afterCall({ kind: "refused", code: "key", permanent: false }, told, 0, 0)).toMatchObject({
    kind: "again",
    called: false,
  });
});
