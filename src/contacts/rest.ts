/** What the REST routes of other features use of this one; loads with the API, never on the way of a beacon. */
export { contactFrom } from "./locate";
export { contactNamed, type Named } from "./named";
export { eraseContact } from "./erase";
export { continueContactJobs, purgeTrash } from "./jobs";
