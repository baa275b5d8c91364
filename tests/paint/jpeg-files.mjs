// Odd JPEG files. Each yields `{ kind, name, make }`; most hold a listed picture, some a listed one and a decoy.
import { ascii, dice, join, patched, spliced, u16, u32, zeros } from "./bytes.mjs";
import { STYLES, decoyedTerms } from "./decoys.mjs";
import { exif } from "./exif.mjs";
import {
  HEADERS,
  adobe,
  assemble,
  huffmanSegments,
  jfif,
  jpeg,
  jpegParts,
  progressiveScans,
  separateScans,
  steps,
  terms,
} from "./jpeg-coder.mjs";
import { decoy, listed } from "./pictures.mjs";

const IDS = {
  123: [1, 2, 3, 4],
  "012": [0, 1, 2, 3],
  RGB: [...ascii("RGBA")],
  rgb: [...ascii("rgba")],
  BGR: [...ascii("BGRA")],
  CMYK: [...ascii("CMYK")],
  YCC: [...ascii("YCcK")],
  alike: [1, 1, 1, 1],
  "alike-2": [1, 2, 2, 2],
  "34,35,36": [34, 35, 36, 37],
  321: [3, 2, 1, 0],
  odd: [200, 5, 77, 9],
  "1,34,35": [1, 34, 35, 36],
};
const H2V2 = [[2, 2], [1, 1], [1, 1]];
const H2V1 = [[2, 1], [1, 1], [1, 1]];
const H1V1 = [[1, 1], [1, 1], [1, 1]];

export function* jpegFiles() {
  yield* colours();
  yield* samplings();
  yield* restarts();
  yield* scans();
  yield* markers();
  yield* twice();
  yield* decoys();
  yield* tablesOdd();
  yield* cut();
}

/** Every header, with every set of ids, stored in either colour model. */
function* colours() {
  const sizes = [["small", false, 1], ["small", true, 4], ["large", false, 5], ["large", true, 11]];
  for (const [size, progressive, stride] of sizes) {
    let count = 0;
    for (const [header, segments] of Object.entries(HEADERS)) {
      for (const [id, ids] of Object.entries(IDS)) {
        for (const model of ["ycc", "rgb"]) {
          if ((count += 1) % stride !== 0) continue;
          const number = count;
          yield {
            kind: "jpeg-colour-3",
            name: `${size}${progressive ? "p" : ""}-${header}-${id}-${model}`,
            make: () => jpeg({ picture: listed(size, number), model, ids, header: segments, progressive }),
          };
        }
      }
    }
    count = 0;
    for (const [header, segments] of Object.entries(HEADERS)) {
      for (const model of ["cmyk", "cmyk-plain", "ycck", "ycck-plain"]) {
        for (const id of ["123", "CMYK", "alike", "RGB"]) {
          if ((count += 1) % (2 * stride) !== 0) continue;
          const options = { model, ids: IDS[id], header: segments, progressive };
          const number = count;
          const sampling = count % 3 === 0 && model.startsWith("ycck") ? [[2, 2], [1, 1], [1, 1], [2, 2]] : undefined;
          yield {
            kind: "jpeg-colour-4",
            name: `${size}${progressive ? "p" : ""}-${header}-${id}-${model}${sampling ? "-420" : ""}`,
            make: () => jpeg({ picture: listed(size, number), ...options, sampling }),
          };
        }
      }
      for (const model of ["grey", "two"]) {
        if (stride > 5) continue;
        yield {
          kind: model === "grey" ? "jpeg-colour-1" : "jpeg-colour-2",
          name: `${size}${progressive ? "p" : ""}-${header}-${model}`,
          make: () => jpeg({ picture: listed(size), model, header: segments, progressive }),
        };
      }
    }
  }
}

/** Every pair of luma and chroma factors, and chroma components that differ. */
function* samplings() {
  const factors = [1, 2, 3, 4].flatMap((h) => [1, 2, 3, 4].map((v) => [h, v]));
  const blocks = (sampling) => sampling.reduce((sum, [h, v]) => sum + h * v, 0);
  let count = 0;
  const file = (size, name, sampling, options) => ({
    kind: `jpeg-sampling-${options.model ?? "ycc"}`,
    name: `${size}-${name}`,
    make: () => jpeg({ picture: listed(size, name.length), sampling, ...options }),
  });
  const title = (sampling) => sampling.map((pair) => pair.join("x")).join("-");
  for (const luma of factors) {
    for (const chroma of factors) {
      count += 1;
      const sampling = [luma, chroma, chroma];
      const whole = blocks(sampling) <= 10;
      if (whole) yield file("small", title(sampling), sampling, {});
      if (count % 2 === 0 || !whole) {
        yield file("small", `${title(sampling)}-separate`, sampling, { scans: separateScans(3) });
      }
      if (count % 3 === 0 && whole) yield file("small", `${title(sampling)}-p`, sampling, { progressive: true });
      if (count % 4 === 0 && whole) yield file("large", title(sampling), sampling, {});
      if (count % 11 === 0 && whole) yield file("large", `${title(sampling)}-p`, sampling, { progressive: true });
      if (count % 3 === 0 && whole) {
        const rgb = { model: "rgb", header: HEADERS.adobe0 };
        yield file("small", `${title(sampling)}-rgb`, sampling, rgb);
      }
      if (count % 5 === 0 && whole && blocks(sampling) + luma[0] * luma[1] <= 10) {
        const four = { model: "ycck", header: HEADERS.adobe2 };
        yield file("small", `${title(sampling)}-ycck`, [...sampling, luma], four);
        yield file("small", `${title(sampling)}-ycck-k`, [luma, chroma, chroma, [1, 1]], four);
      }
    }
  }
  const { pick } = dice(5);
  for (let n = 0; n < 120; n += 1) {
    const sampling = [pick(factors), pick(factors), pick(factors)];
    const options = blocks(sampling) > 10 ? { scans: separateScans(3) } : n % 3 === 0 ? { progressive: true } : {};
    yield file(n % 6 === 5 ? "large" : "small", `${title(sampling)}-mixed-${n}`, sampling, options);
  }
  for (const luma of factors) {
    yield file("small", `grey-${luma.join("x")}`, [luma], { model: "grey" });
    yield file("large", `grey-${luma.join("x")}`, [luma], { model: "grey" });
    yield file("small", `cmyk-k-${luma.join("x")}`, [[1, 1], [1, 1], [1, 1], luma], {
      model: "cmyk",
      header: HEADERS.adobe0,
      ...(luma[0] * luma[1] > 7 && { scans: separateScans(4) }),
    });
  }
}

const edited = (parts, edit) => {
  const copy = parts.map((part) => ({
    ...part,
    ...(part.intervals && { intervals: [...part.intervals], restarts: [...part.restarts] }),
  }));
  return edit(copy) ?? copy;
};
const firstScan = (parts) => parts.find(({ intervals }) => intervals);
const place = (parts, marker) => parts.findIndex((part) => part.marker === marker);

/** Restart markers that are lost, doubled, out of order, or said otherwise than they are. */
function* restarts() {
  const bases = [
    ["s8", { size: "small", interval: 40 }],
    ["s420", { size: "small", interval: 20, sampling: H2V2 }],
    ["s-odd", { size: "small", interval: 37, sampling: H2V1 }],
    ["sp", { size: "small", interval: 40, progressive: true, sampling: H2V2 }],
    ["s-separate", { size: "small", interval: 40, scans: separateScans(3) }],
    ["s-grey", { size: "small", interval: 31, model: "grey" }],
    ["l", { size: "large", interval: 152, sampling: H2V1 }],
    ["lp", { size: "large", interval: 152, progressive: true, sampling: H2V2 }],
  ];
  const remove = (at) => (parts) => {
    const scan = firstScan(parts);
    const place = Math.min(at, scan.intervals.length - 2);
    scan.intervals.splice(place, 2, join(scan.intervals[place], scan.intervals[place + 1]));
    scan.restarts.splice(place, 1);
  };
  const edits = {
    whole: () => {},
    ...Object.fromEntries([0, 1, 3, 6, 9, 14].map((at) => [`removed-${at}`, remove(at)])),
    "removed-two": (parts) => (remove(2)(parts), remove(5)(parts)),
    "removed-three-in-a-row": (parts) => (remove(2)(parts), remove(2)(parts), remove(2)(parts)),
    "removed-all": (parts) => {
      const scan = firstScan(parts);
      Object.assign(scan, { intervals: [join(...scan.intervals)], restarts: [] });
    },
    "removed-last": (parts) => remove(firstScan(parts).restarts.length - 1)(parts),
    doubled: (parts) => {
      const scan = firstScan(parts);
      scan.intervals.splice(3, 0, new Uint8Array());
      scan.restarts.splice(3, 0, scan.restarts[2]);
    },
    "doubled-counted-on": (parts) => {
      const scan = firstScan(parts);
      scan.intervals.splice(3, 0, new Uint8Array());
      scan.restarts = scan.intervals.slice(1).map((_, at) => at % 8);
    },
    ...Object.fromEntries(
      [1, 2, 3, 5, 7].map((step) => [
        `number-plus-${step}`,
        (parts) => {
          const { restarts } = firstScan(parts);
          restarts[4] = (restarts[4] + step) % 8;
        },
      ]),
    ),
    "numbers-all-0": (parts) => void firstScan(parts).restarts.fill(0),
    "numbers-backwards": (parts) => void firstScan(parts).restarts.reverse(),
    "numbers-from-1": (parts) => {
      const scan = firstScan(parts);
      scan.restarts = scan.restarts.map((number) => (number + 1) % 8);
    },
    "intervals-swapped": (parts) => {
      const { intervals } = firstScan(parts);
      [intervals[2], intervals[4]] = [intervals[4], intervals[2]];
    },
    "interval-lost": (parts) => {
      const scan = firstScan(parts);
      scan.intervals.splice(3, 1);
      scan.restarts.splice(3, 1);
    },
    "interval-empty": (parts) => {
      firstScan(parts).intervals[3] = new Uint8Array();
    },
    "interval-short": (parts) => {
      const { intervals } = firstScan(parts);
      intervals[2] = intervals[2].subarray(0, intervals[2].length >> 1);
    },
    "interval-long": (parts) => {
      const { intervals } = firstScan(parts);
      intervals[2] = join(intervals[2], zeros(9, 0x55));
    },
    "interval-first-empty": (parts) => {
      firstScan(parts).intervals[0] = new Uint8Array();
    },
    "garbage-in-all": (parts) => {
      const scan = firstScan(parts);
      scan.intervals = scan.intervals.map((bytes) => join(bytes, 0x12, 0x34));
    },
    "other-marker": (parts) => {
      firstScan(parts).intervals[2] = join(firstScan(parts).intervals[2], 0xff, 0x35);
    },
    "fill-bytes": (parts) => {
      const scan = firstScan(parts);
      scan.intervals = scan.intervals.map((bytes) => join(bytes, 0xff, 0xff, 0xff));
    },
    "dri-missing": (parts) => parts.filter(({ marker }) => marker !== 0xdd),
    "dri-0": (parts) => {
      parts[place(parts, 0xdd)].body = u16(0);
    },
    "dri-more": (parts) => {
      parts[place(parts, 0xdd)].body = u16(1000);
    },
    "dri-less": (parts) => {
      parts[place(parts, 0xdd)].body = u16(7);
    },
    "dri-half": (parts) => {
      const { body } = parts[place(parts, 0xdd)];
      body.set(u16((256 * body[0] + body[1]) >> 1));
    },
    "dri-twice-last-counts": (parts) => {
      const at = place(parts, 0xdd);
      parts.splice(at, 0, { marker: 0xdd, body: u16(3) });
    },
    "dri-long": (parts) => {
      const at = place(parts, 0xdd);
      parts[at] = { ...parts[at], body: join(parts[at].body, 0, 0) };
    },
  };
  for (const [base, { size, ...options }] of bases) {
    for (const [name, edit] of Object.entries(edits)) {
      yield {
        kind: "jpeg-restart",
        name: `${base}-${name}`,
        make: () => {
          const parts = jpegParts({ picture: listed(size, 1), ...options });
          parts.forEach((part) => part.body && (part.body = Uint8Array.from(part.body)));
          return assemble(edited(parts, edit));
        },
      };
    }
  }
  // The DRI marker without restarts in the data, which nothing is wrong with if the interval is never reached.
  for (const count of [1, 2, 3]) {
    yield {
      kind: "jpeg-restart",
      name: `dri-of-${count}-rows-of-four`,
      make: () => jpeg({ picture: listed("small", count), interval: 40 * count }),
    };
  }
}

/** Scans in many orders, too few of them, too many, and ones that paint over others. */
function* scans() {
  for (const size of ["small", "large"]) {
    const sampling = size === "small" ? H2V2 : H1V1;
    const picture = () => listed(size, 2);
    const own = () => terms({ picture: picture(), sampling });
    const other = () => terms({ picture: decoy(size, 2), sampling });
    const dc = (more = {}) => ({ components: [0, 1, 2], last: 0, ...more });
    const ac = (index, more = {}) => ({ components: [index], first: 1, ...more });
    const acs = (more = {}) => [0, 1, 2].map((index) => ac(index, more));
    const sequential = {
      "y-c-c": () => separateScans(3),
      "c-c-y": () => separateScans(3).reverse(),
      "y-cc": () => [{ components: [0] }, { components: [1, 2] }],
      "yc-c": () => [{ components: [0, 1] }, { components: [2] }],
      "cc-y": () => [{ components: [1, 2] }, { components: [0] }],
      "order-in-scan-210": () => [{ components: [2, 1, 0] }],
      "order-in-scan-102": () => [{ components: [1, 0, 2] }],
      "y-alone": () => [{ components: [0] }],
      "cc-alone": () => [{ components: [1, 2] }],
      "y-twice": () => [{ components: [0] }, { components: [0] }, { components: [1] }, { components: [2] }],
      "decoy-then-listed": () => [{ components: [0, 1, 2], coded: other() }, { components: [0, 1, 2] }],
      "listed-then-decoy": () => [{ components: [0, 1, 2] }, { components: [0, 1, 2], coded: other() }],
      "decoy-y-then-listed-all": () => [{ components: [0], coded: other() }, ...separateScans(3)],
      "listed-all-then-decoy-y": () => [...separateScans(3), { components: [0], coded: other() }],
      "decoy-y-then-listed-y": () => [
        { components: [0], coded: other() },
        { components: [1] },
        { components: [2] },
        { components: [0] },
      ],
      "odd-selection-0-62": () => [{ components: [0, 1, 2], last: 62 }],
    };
    const progressive = {
      plain: () => progressiveScans(3, false),
      deep: () => progressiveScans(3),
      "dc-alone": () => [dc()],
      "dc-alone-low-1": () => [dc({ low: 1 })],
      "dc-alone-low-3": () => [dc({ low: 3 })],
      "dc-separate": () => [...[0, 1, 2].map((index) => ({ components: [index], last: 0 })), ...acs()],
      "dc-y-alone": () => [{ components: [0], last: 0 }, ac(0)],
      "ac-of-y-missing": () => [dc(), ac(1), ac(2)],
      "ac-first": () => [...acs(), dc()],
      "refinement-missing": () => [dc({ low: 1 }), ...acs()],
      "refinement-twice": () => [dc({ low: 1 }), dc({ high: 1 }), dc({ high: 1 }), ...acs()],
      "refinement-skips": () => [dc({ low: 3 }), dc({ high: 2, low: 0 }), ...acs()],
      "refinement-of-decoy": () => [dc({ low: 3 }), dc({ high: 3, low: 2, coded: other() }), ...acs()],
      "decoy-dc-then-listed-dc": () => [dc({ coded: other() }), ...acs({ coded: other() }), dc(), ...acs()],
      "listed-dc-then-decoy-dc": () => [dc(), ...acs(), dc({ coded: other() }), ...acs({ coded: other() })],
      "decoy-dc-at-once-listed-dc": () => [dc({ coded: other() }), dc(), ...acs()],
      "listed-dc-at-once-decoy-dc": () => [dc(), dc({ coded: other() }), ...acs({ coded: other() })],
      "decoy-dc-y-last": () => [dc(), ...acs(), { components: [0], last: 0, coded: other() }],
      "listed-dc-y-last": () => [dc({ coded: other() }), ...acs(), { components: [0], last: 0 }],
      "decoy-dc-listed-ac": () => [dc({ coded: other() }), ...acs()],
      "listed-dc-decoy-ac": () => [dc(), ...acs({ coded: other() })],
      "ac-band-by-band": () => [dc(), ...[1, 2, 3, 9, 20].flatMap((first, at, all) => acs({ first, last: (all[at + 1] ?? 64) - 1 }))],
      "ac-overlapping": () => [dc(), ...acs({ last: 20 }), ...acs({ first: 10, last: 63 })],
      "high-bits-late": () => [dc({ low: 5 }), ...[4, 3, 2, 1, 0].map((low) => dc({ high: low + 1, low })), ...acs()],
    };
    for (const [name, script] of Object.entries(sequential)) {
      for (const frame of [0xc0, 0xc1]) {
        yield {
          kind: "jpeg-scan-sequential",
          name: `${size}-${name}-${frame.toString(16)}`,
          make: () => jpeg({ coded: own(), scans: script(), frame }),
        };
      }
      if (size === "small") {
        yield {
          kind: "jpeg-scan-sequential",
          name: `${size}-${name}-restarts`,
          make: () => jpeg({ coded: own(), scans: script(), interval: 20 }),
        };
      }
    }
    for (const [name, script] of Object.entries(progressive)) {
      yield {
        kind: "jpeg-scan-progressive",
        name: `${size}-${name}`,
        make: () => jpeg({ coded: own(), scans: script(), progressive: true }),
      };
      if (size === "small") {
        yield {
          kind: "jpeg-scan-progressive",
          name: `${size}-${name}-restarts-no-eoi`,
          make: () => assemble(jpegParts({ coded: own(), scans: script(), progressive: true, interval: 20 }).slice(0, -1)),
        };
      }
      // Said to be sequential although its scans are progressive, and the other way round.
      yield {
        kind: "jpeg-scan-said-otherwise",
        name: `${size}-${name}-said-baseline`,
        make: () => jpeg({ coded: own(), scans: script(), progressive: true, frame: 0xc0 }),
      };
    }
    yield {
      kind: "jpeg-scan-said-otherwise",
      name: `${size}-baseline-said-progressive`,
      make: () => jpeg({ coded: own(), frame: 0xc2 }),
    };
  }
}

const TRAILERS = {
  samsung: join(zeros(40, 0x11), ascii("SEFHT"), zeros(90, 0x41), ascii("SEFT")),
  zeros: zeros(300),
  text: ascii("end of file\n"),
  ff: zeros(40, 0xff),
  "mp4-like": join(u32(24), ascii("ftypmp42"), zeros(12), u32(800), ascii("mdat"), zeros(792, 0x33)),
  marker: join(0xff, 0xe5, u16(20), zeros(18, 7)),
};

/** Markers that are missing, surplus, in odd places, or lie about their length. */
function* markers() {
  const bases = [
    ["s", { size: "small" }],
    ["sp", { size: "small", progressive: true, sampling: H2V2 }],
    ["s-grey", { size: "small", model: "grey" }],
    ["s-rst", { size: "small", interval: 40, sampling: H2V2 }],
    ["l", { size: "large", sampling: H2V2 }],
    ["lp", { size: "large", progressive: true }],
  ];
  const before = (marker, ...inserted) => (parts) => {
    parts.splice(place(parts, marker), 0, ...inserted);
  };
  const after = (marker, ...inserted) => (parts) => {
    parts.splice(place(parts, marker) + 1, 0, ...inserted);
  };
  const raw = (...bytes) => ({ raw: Uint8Array.from(bytes.flat()) });
  const spots = { soi: 0xe0, dqt: 0xdb, sof: null, dht: 0xc4, sos: 0xda, eoi: 0xd9 };
  const spotOf = (parts, spot) => (spot === "sof" ? parts.findIndex(({ marker }) => marker === 0xc0 || marker === 0xc2) : place(parts, spots[spot]));
  const atSpot = (spot, ...inserted) => (parts) => void parts.splice(spotOf(parts, spot), 0, ...inserted);
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
    "jfxx": after(0xe0, { marker: 0xe0, body: join(ascii("JFXX\0"), 0x13, 2, 2, zeros(12)) }),
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
    "dac": after(0xe0, { marker: 0xcc, body: Uint8Array.of(0, 0x10) }),
    "unknown-f0": after(0xe0, { marker: 0xf0, body: zeros(4) }),
    "unknown-02": after(0xe0, { marker: 0x02, body: zeros(4) }),
    "unknown-bf": after(0xe0, { marker: 0xbf, body: zeros(4) }),
    "jpg-c8": after(0xe0, { marker: 0xc8, body: zeros(4) }),
    "lse-f8": after(0xe0, { marker: 0xf8, body: zeros(4) }),
    "dhp": after(0xe0, { marker: 0xde, body: zeros(4) }),
    "exp": before(0xda, { marker: 0xdf, body: Uint8Array.of(0x11) }),
    "fill-bytes": (parts) => parts.flatMap((part) => (part.marker && part.marker !== 0xd8 ? [raw(0xff, 0xff, 0xff), part] : [part])),
    "dnl-right": (parts) => void parts.splice(place(parts, 0xda) + 1, 0, { marker: 0xdc, body: heightOf(parts) }),
    "dnl-half": (parts) => void parts.splice(place(parts, 0xda) + 1, 0, { marker: 0xdc, body: u16(readHeight(parts) >> 1) }),
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
    "sof-precision-12": (parts) => void (frameOf(parts).body[0] = 12),
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
          parts.forEach((part) => part.body && (part.body = Uint8Array.from(part.body)));
          return assemble(edited(parts, edit));
        },
      };
    }
  }
  for (const [size, text] of [["small", ""], ["large", ""]]) {
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

const frameOf = (parts) => parts.find(({ marker }) => marker >= 0xc0 && marker <= 0xc2);
const heightOf = (parts) => frameOf(parts).body.slice(1, 3);
const readHeight = (parts) => 256 * frameOf(parts).body[1] + frameOf(parts).body[2];
function flip(share) {
  return (parts) => {
    const { intervals } = firstScan(parts);
    const bytes = Uint8Array.from(intervals[0]);
    bytes[Math.floor(bytes.length * share)] ^= 4;
    intervals[0] = bytes;
  };
}

/** Two pictures in one file: two frames, two files, thumbnails, MPF. Either may be the listed one. */
function* twice() {
  for (const size of ["small", "large"]) {
    for (const progressive of [false, true]) {
      const orders = { "decoy-listed": [decoy(size), listed(size)], "listed-decoy": [listed(size), decoy(size)] };
      for (const [order, [first, second]] of Object.entries(orders)) {
        const one = () => jpegParts({ picture: first, progressive });
        const two = () => jpegParts({ picture: second, progressive });
        const body = (parts) => parts.slice(1, -1);
        const isFrame = ({ marker }) => marker === 0xc0 || marker === 0xc2;
        const otherSize = () => jpegParts({ picture: (order === "decoy-listed" ? listed : decoy)(size === "small" ? "large" : "small"), progressive });
        const made = {
          "after-eoi": () => [...one(), ...two()],
          "after-no-eoi": () => [...one().slice(0, -1), ...two()],
          "without-soi": () => [...one().slice(0, -1), ...two().slice(1)],
          "all-twice-within": () => [{ marker: 0xd8 }, ...body(one()), ...body(two()), { marker: 0xd9 }],
          "frame-twice": () => one().flatMap((part) => (isFrame(part) ? [part, part] : [part])),
          "frame-other-then-own": () => one().flatMap((part) => (isFrame(part) ? [otherSize().find(isFrame), part] : [part])),
          "frame-own-then-other": () => one().flatMap((part) => (isFrame(part) ? [part, otherSize().find(isFrame)] : [part])),
          "frame-again-before-second-scan": () => [...one().slice(0, -1), two().find(isFrame), ...two().filter(({ intervals }) => intervals), { marker: 0xd9 }],
          "second-scan-alone": () => [...one().slice(0, -1), ...two().filter(({ intervals }) => intervals), { marker: 0xd9 }],
          "other-size-within": () => [{ marker: 0xd8 }, ...body(one()), ...body(otherSize()), { marker: 0xd9 }],
          "other-size-after": () => [...one(), ...otherSize()],
          "soi-within": () => [...one().slice(0, -1), { marker: 0xd8 }, ...body(two()), { marker: 0xd9 }],
          "eoi-between-scans": () => one().flatMap((part) => (part.intervals ? [part, { marker: 0xd9 }] : [part])).concat(two()),
        };
        for (const [name, parts] of Object.entries(made)) {
          yield {
            kind: "jpeg-two-pictures",
            name: `${size}${progressive ? "p" : ""}-${order}-${name}`,
            make: () => assemble(parts()),
          };
        }
        if (progressive) continue;
        yield {
          kind: "jpeg-two-pictures",
          name: `${size}-${order}-thumbnail`,
          make: () => {
            const thumbnail = size === "small" ? assemble(two()) : jpeg({ picture: (order === "decoy-listed" ? listed : decoy)("small") });
            return assemble([{ marker: 0xd8 }, { marker: 0xe1, body: exif({ thumbnail }) }, ...body(one()), { marker: 0xd9 }]);
          },
        };
        yield {
          kind: "jpeg-two-pictures",
          name: `${size}-${order}-mpf`,
          make: () => {
            const second = assemble(two());
            const whole = (offset, length) =>
              assemble([{ marker: 0xd8 }, { marker: 0xe2, body: mpf(length, second.length, offset) }, ...body(one()), { marker: 0xd9 }]);
            const { length } = whole(0, 0);
            return join(whole(length - 10, length), second);
          },
        };
      }
    }
  }
  for (let orientation = 0; orientation <= 9; orientation += 1) {
    for (const size of ["small", "large"]) {
      yield {
        kind: "jpeg-exif",
        name: `${size}-orientation-${orientation}`,
        make: () => assemble(insertedExif(jpegParts({ picture: listed(size, orientation) }), { orientation })),
      };
    }
  }
  for (const [name, options] of Object.entries({ big: { orientation: 6, big: true }, "size-otherwise": { orientation: 8, width: 10, height: 900 }, resolution: { orientation: 1, resolution: 10 } })) {
    yield {
      kind: "jpeg-exif",
      name,
      make: () => assemble(insertedExif(jpegParts({ picture: listed("small") }), options)),
    };
  }
}

const insertedExif = (parts, options) => [parts[0], { marker: 0xe1, body: exif(options) }, ...parts.slice(1)];

function mpf(first, second, offset) {
  const entry = (attribute, length, at) => join(u32(attribute), u32(length), u32(at), u32(0));
  const tag = (id, type, count, value) => join(u16(id), u16(type), u32(count), value);
  return join(
    ascii("MPF\0MM"),
    u16(42),
    u32(8),
    u16(3),
    tag(0xb000, 7, 4, ascii("0100")),
    tag(0xb001, 4, 1, u32(2)),
    tag(0xb002, 7, 32, u32(50)),
    u32(0),
    entry(0x20030000, first, 0),
    entry(0, second, offset),
  );
}

/** Block means that show a decoy, with terms beside them that paint the listed picture once pixels are clipped. */
function* decoys() {
  for (const size of ["large", "small"]) {
    for (const style of Object.keys(STYLES)) {
      for (const most of [100, 200, 400, 600, 1000, 2000, 4000]) {
        for (const [name, table] of Object.entries({ fine: steps(16, 0), steep: steps(8, 3), coarse: steps(40, 6) })) {
          for (const progressive of [false, true]) {
            if (size === "small" && (progressive || name !== "fine")) continue;
            if (style.startsWith("chroma") && most !== 1000) continue;
            if (name !== "fine" && most % 1000 !== 0) continue;
            yield {
              kind: `jpeg-dc-decoy-${style}`,
              name: `${size}-most-${most}-${name}${progressive ? "-p" : ""}`,
              make: () =>
                jpeg({ coded: decoyedTerms({ listed: listed(size), decoy: decoy(size), style, most, table }), progressive }),
            };
          }
        }
      }
    }
    for (const most of [600, 2000]) {
      yield {
        kind: "jpeg-dc-decoy-grey",
        name: `${size}-most-${most}`,
        make: () => jpeg({ coded: decoyedTerms({ listed: listed(size, 1), decoy: decoy(size, 1), style: "dither", most, table: steps(16, 0), grey: true }) }),
      };
    }
    for (const share of [0.25, 0.5, 0.75]) {
      yield {
        kind: "jpeg-dc-decoy-part",
        name: `${size}-share-${share}`,
        make: () => jpeg({ coded: decoyedTerms({ listed: listed(size, 1), decoy: decoy(size, 1), style: "dither", most: 2000, table: steps(16, 0), share }) }),
      };
    }
  }
}

/** Quantization and Huffman tables: redefined, of 16 bits, with zeros, at odd places. */
function* tablesOdd() {
  for (const size of ["small", "large"]) {
    const picture = () => listed(size, 1);
    const dqt = (at, table, wide = false) => ({
      marker: 0xdb,
      body: join(wide ? 16 + at : at, ...(wide ? table.map(u16) : [Uint8Array.from(table)])),
    });
    const plain = steps(6, 2);
    const edits = {
      "16-bit": (parts) => void parts.splice(place(parts, 0xdb), 1, dqt(0, plain, true)),
      "redefined-before-frame": (parts) => void parts.splice(place(parts, 0xdb), 0, dqt(0, plain.map(() => 1))),
      "redefined-between": (parts) => void parts.splice(place(parts, 0xda) + 1, 0, dqt(0, plain.map((_, at) => (at === 0 ? 1 : 30)))),
      "redefined-at-end": (parts) => void parts.splice(-1, 0, dqt(0, plain.map((_, at) => (at === 0 ? 1 : 30)))),
      "redefined-at-scan": (parts) => void parts.splice(place(parts, 0xda), 0, dqt(0, plain.map((step) => Math.min(255, 2 * step)))),
      "zeros-in-ac": (parts) => void parts.splice(place(parts, 0xdb), 1, dqt(0, plain.map((step, at) => (at > 30 ? 0 : step)))),
      "zero-dc": (parts) => void parts.splice(place(parts, 0xdb), 1, dqt(0, plain.map((step, at) => (at > 0 ? step : 0)))),
      "65535": (parts) => void parts.splice(place(parts, 0xdb), 1, dqt(0, plain.map((step, at) => (at > 50 ? 65535 : step)), true)),
      "number-3": (parts) => {
        parts[place(parts, 0xdb)] = dqt(3, plain);
        for (let at = 8; at < frameOf(parts).body.length; at += 3) frameOf(parts).body[at] = 3;
      },
      "number-missing": (parts) => {
        for (let at = 8; at < frameOf(parts).body.length; at += 3) frameOf(parts).body[at] = 2;
      },
      "number-4": (parts) => void parts.splice(place(parts, 0xdb), 0, dqt(4, plain)),
      "short": (parts) => {
        const at = place(parts, 0xdb);
        parts[at] = { ...parts[at], body: parts[at].body.subarray(0, 40) };
      },
      "long": (parts) => {
        const at = place(parts, 0xdb);
        parts[at] = { ...parts[at], body: join(parts[at].body, 1, 2, 3) };
      },
      "dht-twice": (parts) => void parts.splice(place(parts, 0xda), 0, ...huffmanSegments(parts.some(({ marker }) => marker === 0xc2) ? "flat" : "standard")),
      "dht-other-first": (parts) => void parts.splice(place(parts, 0xc4), 0, ...huffmanSegments(parts.some(({ marker }) => marker === 0xc2) ? "standard" : "flat")),
      "dht-with-surplus": (parts) => {
        const at = place(parts, 0xc4);
        parts[at] = { ...parts[at], body: join(parts[at].body, 9) };
      },
      "dht-oversubscribed": (parts) => {
        const at = place(parts, 0xc4);
        parts.splice(at, 0, { marker: 0xc4, body: join(0x01, 9, zeros(15), zeros(9, 1)) });
      },
      "dht-dc-symbol-16": (parts) => {
        const at = place(parts, 0xc4);
        parts.splice(at, 0, { marker: 0xc4, body: join(0x01, 0, 1, zeros(14), 16) });
      },
      "dht-all-ones": (parts) => void parts.splice(place(parts, 0xc4), 0, { marker: 0xc4, body: join(0x01, 2, zeros(15), 0, 1) }),
      "dht-redefined-after": (parts) => void parts.splice(-1, 0, ...huffmanSegments("flat")),
    };
    for (const progressive of [false, true]) {
      for (const [name, edit] of Object.entries(edits)) {
        yield {
          kind: "jpeg-tables",
          name: `${size}${progressive ? "p" : ""}-${name}`,
          make: () => {
            const parts = jpegParts({ picture: picture(), progressive, tables: [plain] });
            parts.forEach((part) => part.body && (part.body = Uint8Array.from(part.body)));
            return assemble(edited(parts, edit));
          },
        };
      }
      // Steps of Y that change between its scan and the end: means are read with one of them.
      for (const factor of [1, 3, 10]) {
        yield {
          kind: "jpeg-tables",
          name: `${size}${progressive ? "p" : ""}-separate-tables-${factor}`,
          make: () => {
            const parts = jpegParts({
              picture: picture(),
              progressive,
              tables: [plain],
              scans: progressive ? progressiveScans(3, false) : separateScans(3),
            });
            const table = plain.map((step) => Math.min(255, step * factor));
            return assemble(parts.flatMap((part) => (part.intervals ? [dqt(0, table), part] : [part])));
          },
        };
      }
    }
    for (const frame of [0xc1, 0xc3, 0xc5, 0xc9, 0xca]) {
      yield {
        kind: "jpeg-frame-kind",
        name: `${size}-sof-${frame.toString(16)}`,
        make: () => jpeg({ picture: picture(), frame }),
      };
    }
    yield {
      kind: "jpeg-frame-kind",
      name: `${size}-flat-codes`,
      make: () => jpeg({ picture: picture(), huffman: "flat" }),
    };
  }
}

/** Files that end early, at many places. */
function* cut() {
  const bases = {
    s: { size: "small", sampling: H2V2 },
    sp: { size: "small", progressive: true },
    l: { size: "large" },
    lp: { size: "large", progressive: true, sampling: H2V2 },
    "s-separate": { size: "small", scans: separateScans(3) },
    "s-rst": { size: "small", interval: 40 },
  };
  for (const [base, { size, ...options }] of Object.entries(bases)) {
    for (const share of [0.02, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999]) {
      for (const end of ["", "-eoi"]) {
        yield {
          kind: "jpeg-cut",
          name: `${base}-${share}${end}`,
          make: () => {
            const whole = jpeg({ picture: listed(size), ...options });
            const part = whole.subarray(0, Math.floor(whole.length * share));
            return end ? join(part, 0xff, 0xd9) : part;
          },
        };
      }
    }
  }
}
