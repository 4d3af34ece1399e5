/** What senders and the sending of messages use of providers; none of them is loaded by it. */
export { baseUrlProblem, smtpHostProblem } from "./address";
export { factsOf, isProvider, loadProvider, PROVIDER_NAMES, type ProviderFacts, type ProviderName } from "./catalogue";
export type {
  Channel,
  Credentials,
  Feedback,
  FeedbackType,
  MessageClass,
  OutgoingMessage,
  Provider,
  ProviderContext,
  SendOutcome,
  SuppressReason,
} from "./provider";
