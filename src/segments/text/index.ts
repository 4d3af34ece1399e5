export { minorOf } from "./decimal";
export { MOST_TEXT, parseText, type TextOutcome } from "./parse";
export { printText } from "./print";
export type { TextProblem } from "./problem";
export type { TextVocabulary } from "./sense";
