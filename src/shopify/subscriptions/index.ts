export { assertSubscriptions, listKnown, removeSubscriptions } from "./assert";
export { allTopics } from "./topics";
