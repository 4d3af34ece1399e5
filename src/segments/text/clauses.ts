import type { Length } from "../window";
import { TextError } from "./problem";
import { type Token, tokensOf } from "./tokens";
import type { Clause, Operation, Sign, Tree, ValueToken } from "./operation";

/** Deepest parentheses; more than any definition needs, and less than the stack can take. */
const MOST_NESTED = 20;
const SIGNS: readonly Sign[] = ["=", "!=", "<", "<=", ">", ">="];
const CALLS = ["anniversary", "sum", "distinct"];

/** Reads the syntax of a text. Throws `TextError` at the first token that does not fit. */
export function readClauses(text: string): Tree {
  return new Reader(tokensOf(text)).whole();
}

class Reader {
  readonly #tokens: Token[];
  #next = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  /** A condition, or all of a query in Shopify's editor around one: what is shown and its order decide on nobody. */
  whole(): Tree {
    const isQuery = this.#takesWord("from");
    if (isQuery) {
      this.#needWord("customers");
      while (!this.#isWord("where") && this.#token().kind !== "end") this.#next++;
      this.#needWord("where");
    }
    const tree = this.#either(0);
    if (isQuery && this.#isWord("order")) return tree;
    if (this.#token().kind !== "end") this.#fail("AND, OR or the end");
    return tree;
  }

  #token(ahead = 0): Token {
    const last = this.#tokens.at(-1);
    const token = this.#tokens[this.#next + ahead] ?? last;
    if (!token) throw new Error("no end");
    return token;
  }

  #fail(wanted: string): never {
    const { kind, text, at } = this.#token();
    throw new TextError(at, `${wanted} was expected here, not ${kind === "end" ? text : JSON.stringify(text)}`);
  }

  #isWord(word: string, ahead = 0): boolean {
    const token = this.#token(ahead);
    return token.kind === "word" && token.lower === word;
  }

  #takesWord(...words: string[]): boolean {
    if (!words.every((word, i) => this.#isWord(word, i))) return false;
    this.#next += words.length;
    return true;
  }

  #needWord(word: string): void {
    if (!this.#takesWord(word)) this.#fail(word.toUpperCase());
  }

  #isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.#token(ahead);
    return token.kind === "symbol" && token.text === symbol;
  }

  #takes(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false;
    this.#next++;
    return true;
  }

  #need(symbol: string): void {
    if (!this.#takes(symbol)) this.#fail(symbol);
  }

  #either(depth: number): Tree {
    return this.#chain("or", "any", () => this.#chain("and", "all", () => this.#one(depth)));
  }

  #chain(word: string, group: "all" | "any", read: () => Tree): Tree {
    const { at } = this.#token();
    const first = read();
    if (!this.#isWord(word)) return first;
    const trees = [first];
    while (this.#takesWord(word)) trees.push(read());
    return { group, trees, at };
  }

  #one(depth: number): Tree {
    const { at } = this.#token();
    if (depth > MOST_NESTED) throw new TextError(at, `parentheses are nested deeper than ${MOST_NESTED}`);
    if (this.#takes("(")) {
      const tree = this.#either(depth + 1);
      this.#need(")");
      return tree;
    }
    const group = (["all", "any", "none"] as const).find((name) => this.#isWord(name) && this.#isSymbol("(", 1));
    if (group) {
      this.#next++;
      return { group, trees: this.#list(() => this.#either(depth + 1)), at };
    }
    if (this.#takesWord("not")) return { group: "none", trees: [this.#one(depth + 1)], at };
    return { clause: this.#clause(), at };
  }

  /** What is between parentheses, by commas; may be nothing. */
  #list<T>(read: () => T): T[] {
    this.#need("(");
    const found: T[] = [];
    if (this.#takes(")")) return found;
    do found.push(read());
    while (this.#takes(","));
    this.#need(")");
    return found;
  }

  #clause(): Clause {
    const clause = this.#simple();
    if (this.#isWord("followed") || (this.#isWord("not") && this.#isWord("followed", 1))) {
      const negative = this.#takesWord("not");
      this.#needWord("followed");
      this.#needWord("by");
      const next = this.#simple();
      this.#needWord("within");
      clause.followed = { negative, clause: next, within: this.#length() };
    }
    if (this.#takesWord("store")) clause.store = this.#quoted();
    return clause;
  }

  #simple(): Clause {
    const token = this.#token();
    if (token.kind !== "word") this.#fail("the name of a filter");
    this.#next++;
    const clause = { at: token.at, name: token.lower, written: token.text, of: null, followed: null, store: null };
    if (CALLS.includes(token.lower) && this.#isSymbol("(")) {
      const of = this.#called();
      return { ...clause, of, operationAt: this.#token().at, operation: this.#operation() };
    }
    const operationAt = this.#token().at;
    if (!this.#isSymbol("(")) return { ...clause, operationAt, operation: this.#operation() };
    // The way to write it before MATCHES: name(id: 1) = true.
    const parameters = this.#list(() => this.#parameter());
    if (this.#isWord("is")) return { ...clause, operationAt, operation: this.#operation() };
    const sign = this.#sign();
    const value = this.#value();
    if ((sign !== "=" && sign !== "!=") || value.kind !== "word" || !["true", "false"].includes(value.lower)) {
      throw new TextError(operationAt, "MATCHES (...), NOT MATCHES (...), (...) = true or (...) = false was expected");
    }
    const negative = (sign === "=") === (value.lower === "false");
    return { ...clause, operationAt, operation: { op: "matches", negative, parameters } };
  }

  /** `anniversary(fields.birthday)`, and Shopify's `anniversary(date: 'metafields.facts.birth_date')`. */
  #called(): { name: string; at: number } {
    this.#need("(");
    if (this.#isWord("date") && this.#isSymbol(":", 1)) this.#next += 2;
    const token = this.#token();
    if (token.kind !== "word" && token.kind !== "quoted") this.#fail("a name");
    this.#next++;
    this.#need(")");
    return { name: token.text, at: token.at };
  }

  #parameter(): Clause {
    const name = this.#token();
    if (name.kind === "word" && name.lower === "where" && this.#isSymbol("(", 1)) {
      this.#next++;
      this.#list(() => this.#fail(")"));
      const operation: Operation = { op: "empty", is: true };
      const { at, lower, text } = name;
      return { at, name: lower, written: text, of: null, followed: null, store: null, operationAt: at, operation };
    }
    if (!this.#isSymbol(":", 1) || name.kind !== "word") return this.#simple();
    this.#next += 2;
    const operationAt = this.#token().at;
    const operation: Operation = this.#isSymbol("(")
      ? { op: "in", negative: false, values: this.#list(() => this.#value()) }
      : { op: "compare", sign: "=", value: this.#value() };
    const { at, lower, text } = name;
    return { at, name: lower, written: text, of: null, followed: null, store: null, operationAt, operation };
  }

  #operation(): Operation {
    const token = this.#token();
    if (token.kind === "symbol") return { op: "compare", sign: this.#sign(), value: this.#value() };
    if (this.#takesWord("between")) return this.#between();
    if (this.#takesWord("is")) {
      const is = !this.#takesWord("not");
      if (this.#takesWord("null")) return { op: "null", is, own: false };
      if (this.#takesWord("set")) return { op: "null", is: !is, own: true };
      if (this.#takesWord("empty")) return { op: "empty", is };
      this.#fail("NULL, SET or EMPTY");
    }
    if (this.#takesWord("has")) return this.#has();
    if (this.#takesWord("count")) return { op: "count", test: this.#operation() };
    const negative = this.#takesWord("not");
    if (this.#takesWord("contains")) return { op: "text", what: "contains", negative, value: this.#value() };
    if (this.#takesWord("starts", "with")) return { op: "text", what: "starts_with", negative, value: this.#value() };
    if (this.#takesWord("ends", "with")) return { op: "text", what: "ends_with", negative, value: this.#value() };
    if (this.#takesWord("matches")) {
      if (!this.#isSymbol("(")) return { op: "text", what: "matches", negative, value: this.#value() };
      return { op: "matches", negative, parameters: this.#list(() => this.#parameter()) };
    }
    if (this.#takesWord("in")) return this.#in(negative);
    if (token.kind === "word" && token.lower === "not_matches") {
      this.#next++;
      return { op: "matches", negative: true, parameters: this.#list(() => this.#parameter()) };
    }
    return this.#fail("an operator");
  }

  #between(): Operation {
    const from = this.#value();
    this.#needWord("and");
    return { op: "between", from, to: this.#value() };
  }

  #in(negative: boolean): Operation {
    for (const which of ["last", "next"] as const) {
      if (this.#takesWord(which)) return { op: "within", which, negative, length: this.#length() };
    }
    if (!negative && this.#takesWord("month")) return { op: "month", value: this.#value() };
    return { op: "in", negative, values: this.#list(() => this.#value()) };
  }

  #has(): Operation {
    for (const which of ["any", "none", "all"] as const) {
      if (this.#takesWord(which)) return { op: "has", which, values: this.#list(() => this.#value()) };
    }
    const negative = this.#takesWord("not");
    this.#needWord("been");
    const one = !this.#isSymbol("(");
    const values = one ? [this.#value()] : this.#list(() => this.#value());
    this.#needWord("for");
    return { op: "been", negative, one, values, length: this.#length() };
  }

  #sign(): Sign {
    const { kind, text } = this.#token();
    const sign = kind === "symbol" ? SIGNS.find((known) => known === text) : undefined;
    if (sign === undefined) this.#fail("an operator");
    this.#next++;
    return sign;
  }

  #value(): ValueToken {
    const token = this.#token();
    if (token.kind === "symbol" || token.kind === "end") this.#fail("a value");
    this.#next++;
    return token;
  }

  #length(): Length {
    const token = this.#token();
    if (token.kind !== "length" || token.sign !== "") this.#fail("a length of time such as 30d");
    this.#next++;
    return token.length;
  }

  #quoted(): string {
    const token = this.#token();
    if (token.kind !== "quoted") this.#fail("a text in quotes");
    this.#next++;
    return token.text;
  }
}
