export { api } from "./app";
