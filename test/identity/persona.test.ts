import { describe, expect, it } from "vitest";

import { choosePersona, IDENTITIES_A_DAY } from "../../src/visitor/persona";
import { initialState, type Person } from "../../src/visitor/state";
import { newPerson } from "../../src/visitor/apply";

const SHOP = { key: 1, flushSeconds: 300, abandonAfterSeconds: 3600, connected: false };

function persons(...hashes: string[][]): Person[] {
  const state = initialState("t", SHOP, "browser");
  for (const list of hashes) newPerson(state, 0, list);
  return state.persons;
}

describe("choosePersona", () => {
  const table: [string, Person[], number, string[], number, ReturnType<typeof choosePersona>][] = [
    [
      "an anonymous browser takes the first identity",
      persons([]),
      1,
      ["email:a"],
      0,
      { kind: "known", n: 1, adds: ["email:a"] },
    ],
    ["the same again changes nothing", persons(["email:a"]), 1, ["email:a"], 1, { kind: "known", n: 1, adds: [] }],
    [
      "a second kind completes the person",
      persons(["email:a"]),
      1,
      ["phone:p"],
      1,
      { kind: "known", n: 1, adds: ["phone:p"] },
    ],
    [
      "a known value with a new kind",
      persons(["email:a"]),
      1,
      ["email:a", "phone:p"],
      1,
      { kind: "known", n: 1, adds: ["phone:p"] },
    ],
    ["another value is another person", persons(["email:a"]), 1, ["email:b"], 1, { kind: "new", hashes: ["email:b"] }],
    [
      "who was here before returns",
      persons(["email:a"], ["email:b"]),
      2,
      ["email:a"],
      2,
      { kind: "known", n: 1, adds: [] },
    ],
    [
      "an e-mail decides before a phone number that somebody else gave",
      persons(["email:a", "phone:p"]),
      1,
      ["email:b", "phone:p"],
      1,
      { kind: "new", hashes: ["email:b", "phone:p"] },
    ],
    [
      "a phone number alone decides",
      persons(["email:a", "phone:p"], ["email:b"]),
      2,
      ["phone:p"],
      2,
      { kind: "known", n: 1, adds: [] },
    ],
    [
      "the current person's own phone number is no contradiction",
      persons(["phone:p"]),
      1,
      ["email:a", "phone:p"],
      1,
      { kind: "known", n: 1, adds: ["email:a"] },
    ],
    [
      "a link token names an unnamed browser",
      persons([]),
      1,
      ["contact:c"],
      0,
      { kind: "known", n: 1, adds: ["contact:c"] },
    ],
    ["a link token does not take over a named one", persons(["email:a"]), 1, ["contact:c"], 1, { kind: "ignored" }],
    [
      "the same link again is the same person",
      persons(["contact:c"]),
      1,
      ["contact:c"],
      1,
      { kind: "known", n: 1, adds: [] },
    ],
    [
      "the sixth identity of a day is not followed",
      persons(["email:a"]),
      1,
      ["email:f"],
      IDENTITIES_A_DAY,
      { kind: "limit" },
    ],
    [
      "a known one is, over the limit as well",
      persons(["email:a"]),
      1,
      ["email:a"],
      IDENTITIES_A_DAY,
      { kind: "known", n: 1, adds: [] },
    ],
  ];
  it.each(table)("%s", (_, people, current, hashes, given, expected) => {
    expect(choosePersona(people, current, hashes, given)).toEqual(expected);
  });
});
