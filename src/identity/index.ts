export { makeCustomerToken, readCustomerToken } from "./customer-token";
export { contactById, contactHashes, linkClaim, linkStatements, readPersona } from "./link";
export { LINK_TOKEN_LIFE_MS, linkTokenSecret, makeLinkToken, readLinkToken } from "./link-token";
export { holdIdentity, type Identity, type IdentityKind, resolveIdentities } from "./resolve";
export { identityHash, identitySecret, personaHash } from "./secrets";
export { visitorJoined } from "./visitor-joined";
