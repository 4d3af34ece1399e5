/** A file of the project as text. */
declare module "*?raw" {
  const text: string;
  export default text;
}
