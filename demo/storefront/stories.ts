/** The words of the shop: looks, journal articles and landing pages. */

export type Look = { slug: string; title: string; text: string; products: [handle: string, variant: number][] };

export const LOOKS: Look[] = [
  {
    slug: "first-light",
    title: "First light",
    text: "Half past six. The kitchen belongs to one person and a kettle.",
    products: [
      ["pour-over-dripper", 0],
      ["stoneware-mug", 1],
    ],
  },
  {
    slug: "the-long-table",
    title: "The long table",
    text: "Bread, something green, too many elbows. The carafe goes round twice.",
    products: [
      ["oak-board", 1],
      ["glass-carafe", 0],
    ],
  },
  {
    slug: "dark-by-five",
    title: "Dark by five",
    text: "One flame is enough, if the throw is heavy and nobody needs you.",
    products: [
      ["beeswax-candle", 1],
      ["linen-throw", 0],
      ["wool-cushion", 1],
    ],
  },
];

export type Article = {
  slug: string;
  title: string;
  date: string;
  picture: string;
  lead: string;
  paragraphs: string[];
};

export const ARTICLES: Article[] = [
  {
    slug: "why-linen-wrinkles",
    title: "Why linen wrinkles, and why we let it",
    date: "12 November",
    picture: "linen-throw",
    lead: "Flax has no stretch. That is its fault and its charm.",
    paragraphs: [
      "A cotton fibre bends and springs back. A flax fibre bends and stays bent, because it is nearly pure cellulose with long, stiff chains. Press it flat and it will be flat until you sit down.",
      "Lys Weavers wash each throw three times with pumice before it leaves the mill. It does not remove the creases; it rounds them, so that the cloth looks slept in rather than crushed.",
      "Wash at forty, hang it wet, and walk away. It gets better for about ten years.",
    ],
  },
  {
    slug: "forty-hives",
    title: "Forty hives in the Spessart",
    date: "30 October",
    picture: "beeswax-candle",
    lead: "A morning with Jonas Winter, who keeps bees and casts candles from what they leave.",
    paragraphs: [
      "Wax is what is left when the honey has gone. Forty colonies give about thirty kilos a year, and a tall candle takes six hundred grams. You can do the sum; so can Jonas, which is why there are never many.",
      "He casts at sixty-six degrees, slowly, in the same brass moulds his grandmother used. Too hot and the candle cracks, too cold and it frosts.",
      "Trim the wick to half a centimetre. Let it burn until the whole top is liquid the first time. After that it remembers.",
    ],
  },
  {
    slug: "a-rim-for-lips",
    title: "A rim for lips",
    date: "9 October",
    picture: "stoneware-mug",
    lead: "Eleven prototypes, two millimetres, one mug.",
    paragraphs: [
      "Most mugs end in a rounded edge because it is easy to glaze. Ours thins out to two millimetres and turns outwards by less than you can see.",
      "You notice only when you drink from another one.",
    ],
  },
];
