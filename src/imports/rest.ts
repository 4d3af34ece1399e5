/** What loads with the first need of it: jobs, and the links to files. */
export { downloadFile } from "./download";
export { continueImport } from "./run";
export { continueExport } from "./write";
