export { dropOldFiles, forgetExports } from "./keep";
