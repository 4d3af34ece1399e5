/** What sending asks of campaigns. */
export { campaignRules } from "./rules";
