import { findProduct } from "./catalog.ts";

/**
 * Product pictures, drawn: one still life per product on a lit table, tinted by variant.
 * A picture is a whole SVG document of 1000 × 1000.
 */

/** Mixes a #rrggbb colour with black (below 0) or white (above 0). */
function shade(colour: string, amount: number): string {
  const target = amount < 0 ? 0 : 255;
  const channels = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(value + (target - value) * Math.abs(amount))
      .toString(16)
      .padStart(2, "0");
  });
  return `#${channels.join("")}`;
}

function gradient(
  id: string,
  stops: [offset: number, colour: string][],
  direction = 'x1="0" y1="0" x2="1" y2="0"',
): string {
  const marks = stops.map(([offset, colour]) => `<stop offset="${offset}" stop-color="${colour}"/>`).join("");
  return `<linearGradient id="${id}" ${direction}>${marks}</linearGradient>`;
}

/** Light from the left over a round body. */
function round(id: string, tint: string): string {
  return gradient(id, [
    [0, shade(tint, -0.12)],
    [0.22, shade(tint, 0.28)],
    [0.5, tint],
    [0.85, shade(tint, -0.3)],
    [1, shade(tint, -0.22)],
  ]);
}

const shadow = (x: number, y: number, width: number, height: number): string =>
  `<ellipse cx="${x}" cy="${y}" rx="${width}" ry="${height}" fill="#3b2f22" opacity=".34" filter="url(#soft)"/>`;

type Drawing = (tint: string) => { defs: string; body: string };

const drawings: Record<string, Drawing> = {
  "stoneware-mug": (tint) => ({
    defs:
      round("body", tint) +
      gradient("inside", [
        [0, shade(tint, -0.45)],
        [1, shade(tint, -0.1)],
      ]) +
      `<clipPath id="cup"><path d="M318 372 Q322 690 352 742 Q372 776 470 778 Q568 776 588 742 Q618 690 622 372 Z"/></clipPath>`,
    body:
      shadow(520, 772, 250, 34) +
      `<path d="M612 450 C748 420 770 620 600 640" fill="none" stroke="${shade(tint, -0.28)}" stroke-width="44" stroke-linecap="round"/>
       <path d="M612 444 C738 420 752 606 602 626" fill="none" stroke="${shade(tint, 0.08)}" stroke-width="22" stroke-linecap="round"/>
       <path d="M318 372 Q322 690 352 742 Q372 776 470 778 Q568 776 588 742 Q618 690 622 372 Z" fill="url(#body)"/>
       <g clip-path="url(#cup)"><path d="M300 640 Q400 690 470 676 T640 650 V800 H300Z" fill="#b08b63"/><path d="M300 640 Q400 690 470 676 T640 650" fill="none" stroke="${shade(tint, -0.2)}" stroke-width="10" opacity=".6"/>
       <path d="M360 380 Q352 560 384 700" stroke="#fff" stroke-width="16" fill="none" opacity=".28" filter="url(#soft4)"/></g>
       <ellipse cx="470" cy="372" rx="152" ry="42" fill="${shade(tint, 0.25)}"/>
       <ellipse cx="470" cy="376" rx="138" ry="34" fill="url(#inside)"/>
       <ellipse cx="470" cy="388" rx="120" ry="23" fill="#4a2f1c"/><ellipse cx="438" cy="384" rx="40" ry="6" fill="#8a6140" opacity=".6"/>
       <path d="M430 330 q-24 -40 4 -78 t2 -70 M500 332 q-22 -44 6 -84 t0 -62" fill="none" stroke="#fff" stroke-width="12" stroke-linecap="round" opacity=".35" filter="url(#soft4)"/>`,
  }),
  "linen-throw": (tint) => ({
    defs:
      gradient(
        "fold",
        [
          [0, shade(tint, 0.22)],
          [0.5, tint],
          [1, shade(tint, -0.25)],
        ],
        'x1="0" y1="0" x2="0" y2="1"',
      ) +
      `<pattern id="weave" width="10" height="10" patternUnits="userSpaceOnUse"><path d="M0 2.5H10M0 7.5H10" stroke="#fff" stroke-opacity=".13" stroke-width="1.6"/><path d="M2.5 0V10M7.5 0V10" stroke="#000" stroke-opacity=".09" stroke-width="1.6"/></pattern>`,
    body:
      shadow(500, 772, 320, 32) +
      [0, 1, 2, 3]
        .map((layer) => {
          const y = 690 - layer * 84;
          const path = `M${212 + layer * 6} ${y} Q190 ${y + 42} ${214 + layer * 6} ${y + 84} H${770 - layer * 8} Q${812 - layer * 8} ${y + 42} ${770 - layer * 8} ${y} Z`;
          return `<path d="${path}" fill="url(#fold)"/><path d="${path}" fill="url(#weave)"/><path d="M${216 + layer * 6} ${y + 82} H${768 - layer * 8}" stroke="#000" stroke-opacity=".2" stroke-width="4"/>`;
        })
        .join("") +
      `<path d="M236 440 Q330 396 500 412 T752 440 Q772 474 746 520 H240 Q214 480 236 440Z" fill="${shade(tint, 0.1)}"/><path d="M236 440 Q330 396 500 412 T752 440 Q772 474 746 520 H240 Q214 480 236 440Z" fill="url(#weave)"/>
       <path d="M566 416 C640 470 610 600 660 742 L782 752 C742 620 780 500 700 428Z" fill="${shade(tint, 0.02)}"/><path d="M566 416 C640 470 610 600 660 742 L782 752 C742 620 780 500 700 428Z" fill="url(#weave)"/>
       <path d="M640 450 C690 540 680 640 716 746" stroke="#000" stroke-opacity=".14" stroke-width="14" fill="none" filter="url(#soft4)"/>` +
      Array.from(
        { length: 13 },
        (_, at) =>
          `<path d="M${663 + at * 9.8} ${742 + at * 0.8} l${at % 2 ? 3 : -3} 34" stroke="${shade(tint, at % 2 ? -0.1 : 0.12)}" stroke-width="5" stroke-linecap="round"/>`,
      ).join(""),
  }),
  "beeswax-candle": (tint) => ({
    defs:
      round("wax", tint) +
      `<radialGradient id="glow"><stop offset="0" stop-color="#fff3c9" stop-opacity=".95"/><stop offset=".35" stop-color="#ffd98a" stop-opacity=".45"/><stop offset="1" stop-color="#ffd98a" stop-opacity="0"/></radialGradient>` +
      gradient(
        "flame",
        [
          [0, "#fffbe8"],
          [0.6, "#ffc94d"],
          [1, "#e8792b"],
        ],
        'x1="0" y1="1" x2="0" y2="0"',
      ) +
      `<pattern id="comb" width="36" height="62" patternUnits="userSpaceOnUse"><path d="M18 0 L36 10.4 V31 L18 41.5 L0 31 V10.4Z M18 41.5 V62 M0 31 L-18 41.5 M36 31 L54 41.5" fill="none" stroke="#7a5311" stroke-opacity=".24" stroke-width="3"/></pattern>`,
    body:
      shadow(520, 776, 210, 30) +
      `<path d="M376 408 V760 Q376 790 500 790 Q624 790 624 760 V408Z" fill="url(#wax)"/><path d="M376 408 V760 Q376 790 500 790 Q624 790 624 760 V408Z" fill="url(#comb)"/>
       <ellipse cx="500" cy="408" rx="124" ry="32" fill="${shade(tint, 0.35)}"/><ellipse cx="500" cy="412" rx="92" ry="20" fill="${shade(tint, 0.6)}"/>
       <path d="M560 424 q10 60 -4 96 q-12 20 -20 -4 q-4 -50 2 -88Z" fill="${shade(tint, 0.28)}" opacity=".9"/>
       <circle cx="500" cy="300" r="250" fill="url(#glow)"/>
       <path d="M500 408 V364" stroke="#3c2a1a" stroke-width="8" stroke-linecap="round"/>
       <path d="M500 232 C546 300 536 372 500 378 C464 372 454 300 500 232Z" fill="url(#flame)"/><path d="M500 312 C520 342 516 370 500 374 C484 370 480 342 500 312Z" fill="#fff8e2"/>`,
  }),
  "pour-over-dripper": (tint) => ({
    defs:
      round("cone", tint) +
      gradient("glass", [
        [0, "#c9d6d4"],
        [0.3, "#f4f8f7"],
        [1, "#a9b9b6"],
      ]) +
      gradient("coffee", [
        [0, "#5b3820"],
        [0.4, "#7a4d2c"],
        [1, "#3a2213"],
      ]),
    body:
      shadow(500, 790, 220, 30) +
      `<path d="M388 560 L352 742 Q350 796 500 796 Q650 796 648 742 L612 560Z" fill="url(#glass)" opacity=".62"/>
       <path d="M366 676 L354 742 Q352 788 500 788 Q648 788 646 742 L634 676 Q500 706 366 676Z" fill="url(#coffee)" opacity=".93"/><ellipse cx="500" cy="678" rx="134" ry="20" fill="#845735"/>
       <path d="M398 580 L372 720" stroke="#fff" stroke-width="12" opacity=".6" stroke-linecap="round"/>
       <path d="M500 560 V664" stroke="#6a4124" stroke-width="8"/>
       <path d="M292 552 Q500 600 708 552 L700 530 H300Z" fill="${shade(tint, -0.2)}"/><ellipse cx="500" cy="536" rx="206" ry="34" fill="url(#cone)"/>
       <path d="M290 262 L432 520 Q500 546 568 520 L710 262Z" fill="url(#cone)"/>
       <path d="M700 320 C812 310 800 456 652 428" fill="none" stroke="${shade(tint, -0.18)}" stroke-width="34" stroke-linecap="round"/><path d="M700 314 C796 310 782 440 656 416" fill="none" stroke="${shade(tint, 0.12)}" stroke-width="14" stroke-linecap="round"/>
       <ellipse cx="500" cy="262" rx="210" ry="48" fill="${shade(tint, 0.3)}"/><ellipse cx="500" cy="266" rx="192" ry="40" fill="${shade(tint, -0.32)}"/>
       <path d="M318 262 Q500 330 682 262 L640 246 H360Z" fill="#efe6d2"/><ellipse cx="500" cy="268" rx="160" ry="28" fill="#4a2d19"/><ellipse cx="480" cy="264" rx="74" ry="10" fill="#7c5230" opacity=".7"/>
       <path d="M336 312 L448 506" stroke="#fff" stroke-width="14" opacity=".35" stroke-linecap="round" filter="url(#soft4)"/>`,
  }),
  "oak-board": (tint) => ({
    defs:
      gradient(
        "plank",
        [
          [0, shade(tint, 0.16)],
          [0.5, tint],
          [1, shade(tint, -0.16)],
        ],
        'x1="0" y1="0" x2=".3" y2="1"',
      ) +
      `<clipPath id="board"><path d="M330 790 Q300 790 300 756 V400 Q300 356 372 340 Q440 326 444 270 V200 Q444 146 500 146 Q556 146 556 200 V270 Q560 326 628 340 Q700 356 700 400 V756 Q700 790 670 790Z"/></clipPath>`,
    body:
      `<ellipse cx="520" cy="796" rx="250" ry="24" fill="#3b2f22" opacity=".4" filter="url(#soft)"/><path d="M346 806 Q316 800 314 766 V410 Q314 366 386 350 Q454 336 458 280 L570 210 V280 Q574 336 642 350 Q722 366 718 410 V770 Q716 802 690 806Z" fill="#3b2f22" opacity=".2" filter="url(#soft)"/>
       <g clip-path="url(#board)"><rect x="280" y="130" width="440" height="680" fill="url(#plank)"/>` +
      Array.from({ length: 19 }, (_, at) => {
        const x = 296 + at * 23;
        const bend = Math.sin(at * 1.7) * 16;
        return `<path d="M${x} 130 C${x + bend} 300 ${x - bend * 1.3} 520 ${x + bend * 0.6} 820" fill="none" stroke="${shade(tint, -0.36)}" stroke-opacity="${at % 3 ? 0.18 : 0.34}" stroke-width="${at % 4 ? 3 : 6}"/>`;
      }).join("") +
      `<ellipse cx="590" cy="566" rx="20" ry="34" fill="none" stroke="${shade(tint, -0.45)}" stroke-opacity=".45" stroke-width="5"/><ellipse cx="590" cy="566" rx="8" ry="15" fill="${shade(tint, -0.5)}" opacity=".55"/>
       <path d="M306 130 V800" stroke="#fff" stroke-width="10" opacity=".3"/></g>
       <circle cx="500" cy="206" r="22" fill="#d8cdb9"/><path d="M480 200 a22 22 0 0 1 40 0" fill="none" stroke="#4d3a24" stroke-opacity=".5" stroke-width="6"/>
       <path d="M500 206 C470 130 430 110 452 70 C480 40 540 60 530 96 C526 130 506 160 500 206" fill="none" stroke="#8a5a3a" stroke-width="8" stroke-linecap="round"/>`,
  }),
  "wool-cushion": (tint) => ({
    defs: `<radialGradient id="puff" cx=".4" cy=".34" r=".78"><stop offset="0" stop-color="${shade(tint, 0.25)}"/><stop offset=".6" stop-color="${tint}"/><stop offset="1" stop-color="${shade(tint, -0.36)}"/></radialGradient>
       <pattern id="herring" width="48" height="30" patternUnits="userSpaceOnUse"><path d="M0 30 L24 0 L48 30" fill="none" stroke="#fff" stroke-opacity=".24" stroke-width="5"/><path d="M0 15 L12 0 M0 45 L24 15 L48 45 M36 0 L48 15" fill="none" stroke="#000" stroke-opacity=".16" stroke-width="5"/></pattern>`,
    body:
      shadow(500, 778, 300, 34) +
      `<path id="c" d="M226 246 Q500 300 774 246 Q724 510 780 770 Q500 728 220 770 Q276 510 226 246Z" fill="url(#puff)"/><path d="M226 246 Q500 300 774 246 Q724 510 780 770 Q500 728 220 770 Q276 510 226 246Z" fill="url(#herring)"/>
       <path d="M226 246 Q500 300 774 246 Q724 510 780 770 Q500 728 220 770 Q276 510 226 246Z" fill="none" stroke="${shade(tint, -0.4)}" stroke-opacity=".7" stroke-width="7"/>
       <path d="M300 300 Q420 420 380 640 M704 310 Q600 430 640 660" fill="none" stroke="#000" stroke-opacity=".14" stroke-width="26" filter="url(#soft4)"/>
       <path d="M270 290 Q400 330 520 330" stroke="#fff" stroke-opacity=".4" stroke-width="22" fill="none" filter="url(#soft4)"/>`,
  }),
  "olive-soap": (tint) => ({
    defs:
      round("wrap", "#d9c7a6") +
      gradient(
        "bar",
        [
          [0, shade(tint, 0.2)],
          [1, shade(tint, -0.16)],
        ],
        'x1="0" y1="0" x2="1" y2="1"',
      ),
    body:
      shadow(510, 770, 300, 32) +
      `<path d="M270 612 L640 560 L760 640 V724 L396 784 L270 700Z" fill="${shade(tint, -0.22)}"/><path d="M270 612 L640 560 L760 640 L396 698Z" fill="url(#bar)"/><path d="M396 698 L760 640 V724 L396 784Z" fill="${shade(tint, -0.1)}"/>
       <path d="M440 622 l130 -18 m-96 44 l130 -20" stroke="${shade(tint, -0.36)}" stroke-width="12" stroke-linecap="round" opacity=".7"/>
       <g transform="translate(16 74)"><path d="M318 470 L620 426 L716 490 V560 L420 606 L318 540Z" fill="#bfa980"/><path d="M318 470 L620 426 L716 490 L420 536Z" fill="url(#wrap)"/><path d="M420 536 L716 490 V560 L420 606Z" fill="#cdb98f"/>
       <path d="M424 454 L524 518 V590 L470 598 V528 L372 462Z" fill="#f3ead8"/><path d="M462 492 q20 -26 40 0 q-20 26 -40 0Z" fill="#78835b"/>
       <path d="M660 400 C700 330 700 260 660 190" fill="none" stroke="#66713f" stroke-width="9" stroke-linecap="round"/>` +
      [0, 1, 2, 3, 4]
        .map(
          (at) =>
            `<ellipse cx="${at % 2 ? 644 : 716}" cy="${218 + at * 38}" rx="38" ry="13" transform="rotate(${at % 2 ? 32 : -32} ${at % 2 ? 644 : 716} ${218 + at * 38})" fill="${at % 2 ? "#8b9566" : "#737f50"}"/>`,
        )
        .join("") +
      `<ellipse cx="626" cy="352" rx="22" ry="28" fill="#4f5a33"/><ellipse cx="620" cy="344" rx="6" ry="9" fill="#a5b07c"/></g>`,
  }),
  "glass-carafe": (tint) => ({
    defs:
      gradient("glass", [
        [0, shade(tint, -0.24)],
        [0.16, shade(tint, 0.5)],
        [0.5, shade(tint, 0.16)],
        [0.84, shade(tint, 0.4)],
        [1, shade(tint, -0.32)],
      ]) +
      gradient("water", [
        [0, shade(tint, -0.3)],
        [0.3, shade(tint, 0.15)],
        [1, shade(tint, -0.36)],
      ]),
    body:
      shadow(510, 792, 210, 28) +
      `<path d="M442 150 C446 300 430 360 388 440 C330 540 322 640 340 750 Q352 800 500 800 Q648 800 660 750 C678 640 670 540 612 440 C570 360 554 300 558 150Z" fill="url(#glass)" opacity=".74"/>
       <path d="M352 560 C338 640 340 700 348 750 Q358 790 500 790 Q642 790 652 750 C660 700 662 640 648 560 Q500 596 352 560Z" fill="url(#water)" opacity=".55"/><ellipse cx="500" cy="560" rx="149" ry="23" fill="#fff" opacity=".5"/>
       <ellipse cx="500" cy="150" rx="58" ry="14" fill="none" stroke="${shade(tint, -0.35)}" stroke-width="7"/><path d="M452 360 C414 450 378 520 374 640" fill="none" stroke="#fff" stroke-width="16" stroke-linecap="round" opacity=".85"/><path d="M616 520 C634 590 634 660 628 720" fill="none" stroke="#fff" stroke-width="9" stroke-linecap="round" opacity=".7"/>
       <path d="M484 660 C520 520 482 360 504 96" fill="none" stroke="#6f7d55" stroke-width="7" opacity=".85"/>` +
      [0, 1, 2, 3, 4]
        .map((at) => {
          const x = at % 2 ? 466 : 540;
          const y = 150 - at * 26;
          return `<ellipse cx="${x}" cy="${y}" rx="36" ry="13" transform="rotate(${at % 2 ? 28 : -34} ${x} ${y})" fill="#7f8c61"/>`;
        })
        .join(""),
  }),
};

/** The picture of a product, tinted as its first variant or as the one whose id is given. Undefined for an unknown handle. */
export function productPicture(handle: string, variantId?: number): string | undefined {
  const product = findProduct(handle);
  const drawing = drawings[handle];
  if (product === undefined || drawing === undefined) return undefined;
  const variant = product.variants.find((one) => one.id === variantId) ?? product.variants[0];
  return scene(`${product.title}, ${variant.title}`, drawing(variant.tint));
}

/** The wide picture of the home page: three products on one table. */
export function heroPicture(): string {
  const parts = (["glass-carafe", "stoneware-mug", "beeswax-candle"] as const).map((handle, index) => {
    const drawn = drawings[handle]?.(findProduct(handle)?.variants[0].tint ?? "#cccccc") ?? { defs: "", body: "" };
    // Ids are the document's: each drawing gets its own.
    const own = (svg: string): string => svg.replaceAll(/(id="|url\(#)(?!soft)([a-z]+)/g, `$1$2${index}`);
    return { defs: own(drawn.defs), body: own(drawn.body) };
  });
  const place = ["translate(-90 250) scale(.72)", "translate(240 386) scale(.58)", "translate(512 426) scale(.54)"];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1800 1000" role="img" aria-label="A carafe, a mug and a candle on a table">
<defs>${common()}${parts.map((part) => part.defs).join("")}</defs>${backdrop(1800)}
${parts.map((part, at) => `<g transform="${place[at]}">${part.body}</g>`).join("")}</svg>`;
}

function scene(label: string, drawn: { defs: string; body: string }): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" role="img" aria-label="${label.replaceAll("&", "&amp;")}">
<defs>${common()}${drawn.defs}</defs>${backdrop(1000)}
${drawn.body}</svg>`;
}

function common(): string {
  return `<filter id="soft" x="-50%" y="-200%" width="200%" height="500%"><feGaussianBlur stdDeviation="16"/></filter><filter id="soft4" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="5"/></filter>
<linearGradient id="softwall" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#f4eee2"/><stop offset="1" stop-color="#ddd2c0"/></linearGradient><linearGradient id="softtable" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#d3c3a9"/><stop offset="1" stop-color="#c2af92"/></linearGradient>`;
}

function backdrop(width: number): string {
  return `<rect width="${width}" height="1000" fill="url(#softwall)"/><path d="M${width * 0.08} 0 L${width * 0.36} 0 L${width * 0.2} 700 L0 700 V300Z" fill="#fff" opacity=".3"/><rect y="690" width="${width}" height="310" fill="url(#softtable)"/><rect y="690" width="${width}" height="4" fill="#fff" opacity=".35"/>`;
}
