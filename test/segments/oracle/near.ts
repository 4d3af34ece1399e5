import { type Json, member } from "./world";

/** Places are cells of a tenth of a degree; near are the point's own, and those whose middle is. */
export function isNear(cell: number, area: Json | undefined): boolean {
  const given = (name: string) => Number(member(area, name));
  const [row, column] = [Math.floor(cell / 10_000), cell % 10_000];
  const [north, east] = [given("latitude"), given("longitude")];
  if (Math.floor((north + 90) * 10) === row && Math.floor((east + 180) * 10) === column) return true;
  const turn = (degrees: number) => (degrees * Math.PI) / 180;
  const [a, b] = [turn(north), turn((row + 0.5) / 10 - 90)];
  const apart = turn(east - ((column + 0.5) / 10 - 180));
  const cosine = Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(apart);
  return Math.acos(Math.min(1, cosine)) * 6_371 <= given("km");
}
