/**
 * The earth in cells of a tenth of a degree, about 11 km by 7 km in Europe: no finer than the name of a town, which is
 * all that an address of the network tells of a place anyway.
 */

/** Cells of one degree. */
const FINE = 10;
/** Room for the cells of one row in a cell's number. */
const ROW = 10_000;
const EARTH_KM = 6_371;

export interface Coordinates {
  /** Degrees, -90 to 90. */
  latitude: number;
  /** Degrees, -180 to 180. */
  longitude: number;
}

/** The number of the cell that holds a point; null for what is no point of the earth. */
export function cellOf({ latitude, longitude }: Coordinates): number | null {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return null;
  // The north pole and the date line have no cell of their own.
  const row = Math.min(Math.floor((latitude + 90) * FINE), 180 * FINE - 1);
  const column = Math.min(Math.floor((longitude + 180) * FINE), 360 * FINE - 1);
  return row * ROW + column;
}

/** The middle of a cell. */
export function middleOf(cell: number): Coordinates {
  return {
    latitude: (Math.floor(cell / ROW) + 0.5) / FINE - 90,
    longitude: ((cell % ROW) + 0.5) / FINE - 180,
  };
}

/** The cells whose middle is within so many km of a point, and the point's own. */
export function cellsWithin(point: Coordinates, km: number): number[] {
  const own = cellOf(point);
  const found = new Set(own === null ? [] : [own]);
  const reach = ((km / EARTH_KM) * 180) / Math.PI;
  const firstRow = Math.max(0, Math.floor((point.latitude - reach + 90) * FINE));
  const lastRow = Math.min(180 * FINE - 1, Math.floor((point.latitude + reach + 90) * FINE));
  for (let row = firstRow; row <= lastRow; row++) {
    const { latitude } = middleOf(row * ROW);
    const wide = widthOf(point.latitude, latitude, km);
    const middle = Math.floor((point.longitude + 180) * FINE);
    const most = Math.min(Math.ceil(wide * FINE) + 1, 180 * FINE);
    for (let beside = -most; beside <= most; beside++) {
      const column = (middle + beside + 2 * 360 * FINE) % (360 * FINE);
      const cell = row * ROW + column;
      if (kmBetween(point, middleOf(cell)) <= km) found.add(cell);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** How many degrees of longitude from a point are within so many km on another latitude; 180 for all of them. */
function widthOf(from: number, to: number, km: number): number {
  const [a, b] = [radians(from), radians(to)];
  const cosine = (Math.cos(km / EARTH_KM) - Math.sin(a) * Math.sin(b)) / (Math.cos(a) * Math.cos(b));
  if (cosine >= 1) return 0;
  return cosine <= -1 ? 180 : (Math.acos(cosine) * 180) / Math.PI;
}

/** The way along the surface (haversine). */
function kmBetween(a: Coordinates, b: Coordinates): number {
  const [north, east] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const half =
    Math.sin(north / 2) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(east / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(half)));
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
