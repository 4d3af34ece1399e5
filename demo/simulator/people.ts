/* Where the simulated shoppers live, what they browse with, and how they found the shop. */

export type City = { country: string; region: string; city: string; zip: string; street: string };

export const CITIES: readonly [[number, City], ...[number, City][]] = [
  [14, { country: "DE", region: "Berlin", city: "Berlin", zip: "10115", street: "Invalidenstraße" }],
  [9, { country: "DE", region: "Bavaria", city: "Munich", zip: "80331", street: "Sendlinger Straße" }],
  [8, { country: "DE", region: "Hamburg", city: "Hamburg", zip: "20095", street: "Mönckebergstraße" }],
  [6, { country: "DE", region: "Saxony", city: "Leipzig", zip: "04109", street: "Karl-Liebknecht-Straße" }],
  [5, { country: "DE", region: "North Rhine-Westphalia", city: "Cologne", zip: "50667", street: "Ehrenstraße" }],
  [9, { country: "FR", region: "Île-de-France", city: "Paris", zip: "75011", street: "Rue Oberkampf" }],
  [4, { country: "FR", region: "Auvergne-Rhône-Alpes", city: "Lyon", zip: "69001", street: "Rue de la République" }],
  [9, { country: "GB", region: "England", city: "London", zip: "E2 8AA", street: "Columbia Road" }],
  [4, { country: "GB", region: "Scotland", city: "Edinburgh", zip: "EH1 2NG", street: "Victoria Street" }],
  [7, { country: "US", region: "New York", city: "New York", zip: "11211", street: "Bedford Avenue" }],
  [5, { country: "US", region: "Oregon", city: "Portland", zip: "97214", street: "SE Division Street" }],
  [4, { country: "US", region: "California", city: "Oakland", zip: "94609", street: "Telegraph Avenue" }],
  [5, { country: "JP", region: "Tokyo", city: "Tokyo", zip: "150-0001", street: "Jingumae" }],
  [3, { country: "JP", region: "Kyoto", city: "Kyoto", zip: "604-8005", street: "Sanjo-dori" }],
  [3, { country: "SE", region: "Stockholm", city: "Stockholm", zip: "118 26", street: "Götgatan" }],
  [3, { country: "NL", region: "North Holland", city: "Amsterdam", zip: "1015 CN", street: "Prinsengracht" }],
  [2, { country: "AT", region: "Vienna", city: "Vienna", zip: "1070", street: "Neubaugasse" }],
];

export const DEVICES: readonly [[number, string], ...[number, string][]] = [
  [
    34,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
  ],
  [
    22,
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
  ],
  [
    20,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
  ],
  [
    14,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
  ],
  [6, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"],
  [
    4,
    "Mozilla/5.0 (iPad; CPU OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/604.1",
  ],
];

/** How somebody came: the path they landed on (with its campaign) and the page before. */
export type Source = { path: string; referrer: string };

export const SOURCES: readonly [[number, Source], ...[number, Source][]] = [
  [
    18,
    {
      path: "/pages/slow-mornings?utm_source=instagram&utm_medium=paid_social&utm_campaign=autumn-evenings",
      referrer: "https://l.instagram.com/",
    },
  ],
  [
    12,
    {
      path: "/products/stoneware-mug?utm_source=google&utm_medium=cpc&utm_campaign=mugs&gclid=Cj0KCQsim",
      referrer: "https://www.google.com/",
    },
  ],
  [
    9,
    { path: "/products/linen-throw?utm_source=newsletter&utm_medium=email&utm_campaign=throw-is-back", referrer: "" },
  ],
  [
    7,
    {
      path: "/collections/kitchen?utm_source=pinterest&utm_medium=social&utm_campaign=kitchens",
      referrer: "https://www.pinterest.com/",
    },
  ],
  [18, { path: "/", referrer: "https://www.google.com/" }],
  [4, { path: "/", referrer: "https://www.bing.com/" }],
  [5, { path: "/blogs/journal/why-linen-wrinkles", referrer: "https://duckduckgo.com/" }],
  [6, { path: "/products/oak-board", referrer: "https://www.reddit.com/" }],
  [3, { path: "/collections/gifts", referrer: "https://quiet-blog.example/gifts-under-30" }],
  [18, { path: "/", referrer: "" }],
];

export const FIRST_NAMES: readonly [string, ...string[]] = [
  "Anna",
  "Ben",
  "Clara",
  "David",
  "Emma",
  "Felix",
  "Greta",
  "Hugo",
  "Ines",
  "Jonas",
  "Kaori",
  "Leo",
  "Mina",
  "Noah",
  "Olga",
  "Paul",
  "Rosa",
  "Sam",
  "Tessa",
  "Umar",
  "Vera",
  "Will",
  "Yuki",
  "Zoe",
];
export const LAST_NAMES: readonly [string, ...string[]] = [
  "Arnold",
  "Bauer",
  "Carter",
  "Dubois",
  "Engel",
  "Fischer",
  "Garcia",
  "Hoshino",
  "Ivanova",
  "Jansen",
  "Klein",
  "Laurent",
  "Meyer",
  "Nakamura",
  "Olsen",
  "Petit",
  "Quinn",
  "Roth",
  "Sato",
  "Tanaka",
  "Vogel",
  "Weber",
];
