export { type Imported, importKlaviyo, type KlaviyoVocabulary } from "./import";
