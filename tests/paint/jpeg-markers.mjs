// Generates JPEG files whose markers are missing, surplus or wrong.
import { ascii, join, spliced, u16, u32, zeros } from "./bytes.mjs";
import { adobe, assemble, jfif, jpeg, jpegParts } from "./jpeg-coder.mjs";
import { edited, firstScan, flip, frameOf, H2V2, heightOf, place, readHeight } from "./jpeg-edits.mjs";
import { listed } from "./pictures.mjs";

const TRAILERS = {
  samsung: join(zeros(40, 0x11), ascii("SEFHT"), zeros(90, 0x41), ascii("SEFT")),
  zeros: zeros(300),
  text: ascii("end of file\n"),
  ff: zeros(40, 0xff),
  "mp4-like": join(u32(24), ascii("ftypmp42"), zeros(12), u32(800), ascii("mdat"), zeros(792, 0x33)),
  marker: join(0xff, 0xe5, u16(20), zeros(18, 7)),
};

/** Generates files with markers that are missing, surplus, in odd places, or of a wrong length. */
export function* markers() {
  const bases = [
    ["s", { size: "small" }],
    ["sp", { size: "small", progressive: true, sampling: H2V2 }],
    ["s-grey", { size: "small", model: "grey" }],
    ["s-rst", { size: "small", interval: 40, sampling: H2V2 }],
    ["l", { size: "large", sampling: H2V2 }],
    ["lp", { size: "large", progressive: true }],
  ];
  const before =
    (marker, ...inserted) =>
    (parts) => {
      parts.splice(place(parts, marker), 0, ...inserted);
    };
  const after =
    (marker, ...inserted) =>
    (parts) => {
      parts.splice(place(parts, marker) + 1, 0, ...inserted);
    };
  const raw = (...bytes) => ({ raw: Uint8Array.from(bytes.flat()) });
  const spots = { soi: 0xe0, dqt: 0xdb, sof: null, dht: 0xc4, sos: 0xda, eoi: 0xd9 };
  const spotOf = (parts, spot) =>
    spot === "sof" ? parts.findIndex(({ marker }) => marker === 0xc0 || marker === 0xc2) : place(parts, spots[spot]);
  const atSpot =
    (spot, ...inserted) =>
    (parts) =>
      void parts.splice(spotOf(parts, spot), 0, ...inserted);
  const edits = {
    "no-eoi": (parts) => parts.slice(0, -1),
    ...Object.fromEntries(
      Object.entries(TRAILERS).flatMap(([name, bytes]) => [
        [`trailer-${name}`, (parts) => void parts.push(raw([...bytes]))],
        [`no-eoi-trailer-${name}`, (parts) => void parts.splice(-1, 1, raw([...bytes]))],
      ]),
    ),
    "eoi-twice": (parts) => void parts.push({ marker: 0xd9 }),
    "eoi-first": after(0xd8, { marker: 0xd9 }),
    "eoi-before-sos": before(0xda, { marker: 0xd9 }),
    "soi-twice": after(0xd8, { marker: 0xd8 }),
    "soi-before-sof": before(0xc4, { marker: 0xd8 }),
    "no-jfif": (parts) => parts.filter(({ marker }) => marker !== 0xe0),
    "jfif-short": (parts) => {
      parts[1] = { marker: 0xe0, body: ascii("JFIF\0") };
    },
    "jfif-late": (parts) => {
      const [header] = parts.splice(1, 1);
      parts.splice(place(parts, 0xda), 0, header);
    },
    jfxx: after(0xe0, { marker: 0xe0, body: join(ascii("JFXX\0"), 0x13, 2, 2, zeros(12)) }),
    "jfif-twice": after(0xe0, jfif()),
    "com-empty": after(0xe0, { marker: 0xfe, body: new Uint8Array() }),
    "com-length-0": after(0xe0, { marker: 0xfe, body: new Uint8Array(), length: 0 }),
    "com-length-1": after(0xe0, { marker: 0xfe, body: new Uint8Array(), length: 1 }),
    "app-length-0": after(0xe0, { marker: 0xe9, body: new Uint8Array(), length: 0 }),
    "app-length-1": after(0xe0, { marker: 0xe9, body: zeros(4), length: 1 }),
    "app-too-short": after(0xe0, { marker: 0xe9, body: zeros(30, 0x22), length: 20 }),
    "app-with-ff": after(0xe0, { marker: 0xe9, body: zeros(30, 0xff), length: 20 }),
    "com-late": before(0xd9, { marker: 0xfe, body: ascii("late") }),
    "adobe-short": after(0xe0, { marker: 0xee, body: ascii("Adobe") }),
    "adobe-11-bytes": after(0xe0, { marker: 0xee, body: join(ascii("Adobe"), u16(100), u16(0), u16(0)) }),
    "adobe-long": after(0xe0, { marker: 0xee, body: join(adobe(1).body, zeros(20)) }),
    "adobe-otherwise-0": after(0xe0, { marker: 0xee, body: join(ascii("adobe"), zeros(7)) }),
    "adobe-late-0": before(0xda, adobe(0)),
    "adobe-late-1": before(0xda, adobe(1)),
    "adobe-between-0": atSpot("sof", adobe(0)),
    "adobe-0-then-1": after(0xe0, adobe(0), adobe(1)),
    "adobe-1-then-0": after(0xe0, adobe(1), adobe(0)),
    "adobe-after-first-scan-0": (parts) => void parts.splice(place(parts, 0xda) + 1, 0, adobe(0)),
    "adobe-in-app13": after(0xe0, { marker: 0xed, body: adobe(0).body }),
    dac: after(0xe0, { marker: 0xcc, body: Uint8Array.of(0, 0x10) }),
    "unknown-f0": after(0xe0, { marker: 0xf0, body: zeros(4) }),
    "unknown-02": after(0xe0, { marker: 0x02, body: zeros(4) }),
    "unknown-bf": after(0xe0, { marker: 0xbf, body: zeros(4) }),
    "jpg-c8": after(0xe0, { marker: 0xc8, body: zeros(4) }),
    "lse-f8": after(0xe0, { marker: 0xf8, body: zeros(4) }),
    dhp: after(0xe0, { marker: 0xde, body: zeros(4) }),
    exp: before(0xda, { marker: 0xdf, body: Uint8Array.of(0x11) }),
    "fill-bytes": (parts) =>
      parts.flatMap((part) => (part.marker && part.marker !== 0xd8 ? [raw(0xff, 0xff, 0xff), part] : [part])),
    "dnl-right": (parts) => void parts.splice(place(parts, 0xda) + 1, 0, { marker: 0xdc, body: heightOf(parts) }),
    "dnl-half": (parts) =>
      void parts.splice(place(parts, 0xda) + 1, 0, { marker: 0xdc, body: u16(readHeight(parts) >> 1) }),
    "dnl-before": before(0xda, { marker: 0xdc, body: u16(64) }),
    "dnl-height-0": (parts) => {
      const body = heightOf(parts);
      frameOf(parts).body.set([0, 0], 1);
      parts.splice(place(parts, 0xda) + 1, 0, { marker: 0xdc, body });
    },
    "height-less": (parts) => frameOf(parts).body.set(u16((readHeight(parts) * 3) >> 2), 1),
    "height-a-little-less": (parts) => frameOf(parts).body.set(u16(readHeight(parts) - 5), 1),
    "height-more": (parts) => frameOf(parts).body.set(u16(readHeight(parts) + 8), 1),
    "height-much-more": (parts) => frameOf(parts).body.set(u16(readHeight(parts) * 3), 1),
    "width-less": (parts) => frameOf(parts).body.set(u16(256 * frameOf(parts).body[3] + frameOf(parts).body[4] - 3), 3),
    "no-dht": (parts) => parts.filter(({ marker }) => marker !== 0xc4),
    "no-dqt": (parts) => parts.filter(({ marker }) => marker !== 0xdb),
    "dht-late": (parts) => {
      const tables = parts.filter(({ marker }) => marker === 0xc4);
      const rest = parts.filter(({ marker }) => marker !== 0xc4);
      rest.splice(place(rest, 0xda), 0, ...tables);
      return rest;
    },
    "dqt-late": (parts) => {
      const tables = parts.filter(({ marker }) => marker === 0xdb);
      const rest = parts.filter(({ marker }) => marker !== 0xdb);
      rest.splice(place(rest, 0xda), 0, ...tables);
      return rest;
    },
    "sof-precision-12": (parts) => void frameOf(parts).body.set([12]),
    "sof-long": (parts) => {
      const frame = frameOf(parts);
      frame.body = join(frame.body, 0, 0);
    },
    "sos-long": (parts) => {
      const scan = firstScan(parts);
      scan.body = join(scan.body, 0);
    },
    "sos-selection-0": (parts) => {
      const scan = firstScan(parts);
      scan.body[scan.body.length - 2] = 0;
    },
    "sos-selection-5": (parts) => {
      const scan = firstScan(parts);
      scan.body[scan.body.length - 2] = 5;
    },
    "sos-approximation": (parts) => {
      const scan = firstScan(parts);
      scan.body[scan.body.length - 1] = 0x10;
    },
    "sos-tables-3": (parts) => {
      const scan = firstScan(parts);
      for (let at = 2; at < 1 + 2 * scan.body[0]; at += 2) scan.body[at] = 0x33;
    },
    "tables-at-3": (parts) => {
      for (const part of parts) if (part.marker === 0xc4) part.body[0] |= 3;
      for (const { body, intervals } of parts) {
        if (intervals) for (let at = 2; at < 1 + 2 * body[0]; at += 2) body[at] = 0x33;
      }
    },
    "data-then-zeros": (parts) => {
      const { intervals } = firstScan(parts);
      intervals.push(join(intervals.pop(), zeros(200)));
    },
    "data-with-marker-ff35": (parts) => {
      const { intervals } = firstScan(parts);
      const bytes = intervals[0];
      intervals[0] = spliced(bytes, bytes.length >> 1, 0, Uint8Array.of(0xff, 0x35));
    },
    "data-with-rst0": (parts) => {
      const { intervals } = firstScan(parts);
      const bytes = intervals[0];
      intervals[0] = spliced(bytes, bytes.length >> 1, 0, Uint8Array.of(0xff, 0xd0));
    },
    "data-with-com": (parts) => {
      const { intervals } = firstScan(parts);
      const bytes = intervals[0];
      intervals[0] = spliced(bytes, bytes.length >> 1, 0, Uint8Array.of(0xff, 0xfe, 0, 4, 1, 2));
    },
    "data-with-eoi-at-90": (parts) => {
      const { intervals } = firstScan(parts);
      const bytes = intervals.at(-1);
      intervals[intervals.length - 1] = spliced(bytes, Math.floor(bytes.length * 0.9), 0, Uint8Array.of(0xff, 0xd9));
    },
    "data-bit-flip-early": flip(0.1),
    "data-bit-flip-late": flip(0.9),
    "data-byte-lost": (parts) => {
      const { intervals } = firstScan(parts);
      const bytes = intervals[0];
      intervals[0] = spliced(bytes, Math.floor(bytes.length * 0.8), 1);
    },
    "data-stuffing-lost": (parts) => {
      const { intervals } = firstScan(parts);
      const at = intervals[0].findIndex((byte, place) => byte === 255 && intervals[0][place + 1] === 0);
      if (at >= 0) intervals[0] = spliced(intervals[0], at + 1, 1);
    },
  };
  for (const spot of Object.keys(spots)) {
    edits[`tem-before-${spot}`] = atSpot(spot, { marker: 0x01 });
    edits[`rst3-before-${spot}`] = atSpot(spot, { marker: 0xd3 });
    edits[`one-byte-before-${spot}`] = atSpot(spot, raw(0x00));
    edits[`some-bytes-before-${spot}`] = atSpot(spot, raw(1, 2, 3, 4, 5));
    edits[`ff00-before-${spot}`] = atSpot(spot, raw(0xff, 0x00));
    edits[`many-bytes-before-${spot}`] = atSpot(spot, raw([...zeros(700, 0x2a)]));
  }
  for (const [base, { size, ...options }] of bases) {
    for (const [name, edit] of Object.entries(edits)) {
      yield {
        kind: `jpeg-marker-${size}${options.progressive ? "-progressive" : ""}`,
        name: `${base}-${name}`,
        make: () => {
          const parts = jpegParts({ picture: listed(size), ...options });
          return assemble(edited(parts, edit));
        },
      };
    }
  }
  for (const [size, text] of [
    ["small", ""],
    ["large", ""],
  ]) {
    yield {
      kind: "jpeg-marker-before",
      name: `${size}-byte-before-soi${text}`,
      make: () => join(0, jpeg({ picture: listed(size) })),
    };
    yield {
      kind: "jpeg-marker-before",
      name: `${size}-newline-before-soi`,
      make: () => join(10, jpeg({ picture: listed(size) })),
    };
    yield {
      kind: "jpeg-marker-before",
      name: `${size}-third-byte-not-ff`,
      make: () => spliced(jpeg({ picture: listed(size) }), 2, 0, Uint8Array.of(0)),
    };
  }
}
