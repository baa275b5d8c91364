// Generates files that combine several oddities at random, by the kinds of ways in which decoders disagree. Other
// generators go through one oddity after another; here two or three meet. The same number always gives the same file.
import { deflateSync } from "node:zlib";
import { assembleBmp, bmp } from "./bmp-files.mjs";
import { ascii, dice, join, le16, le32, patched, spliced, u16, u32, zeros } from "./bytes.mjs";
import { storedPicture } from "./colour-files.mjs";
import { combinedContainer } from "./combined-containers.mjs";
import { combinedAnimation } from "./combined-frames.mjs";
import { decoyedTerms, STYLES } from "./decoys.mjs";
import { exif } from "./exif.mjs";
import { assembleGif, gifBlocks } from "./gif-files.mjs";
import { adobe, assemble, huffmanSegments, jfif, jpeg, jpegParts, separateScans, steps } from "./jpeg-coder.mjs";
import { mirages } from "./mirages.mjs";
import { decoy, listed, other } from "./pictures.mjs";
import { assemblePng, png, pngChunk, pngChunks } from "./png-files.mjs";
import { ODD, PLAIN, segments } from "./profiles.mjs";
import { losslessChunk, webp, webpChunk } from "./webp-files.mjs";

/** Number of files of each kind. */
const COUNT = 36;

const picture = ({ pick, below }) => listed(pick(["small", "small", "tiny"]), below(3));
const app = (number, text, ...more) => ({ marker: 0xe0 + number, body: join(ascii(text), ...more) });
const HEADERS = {
  jfif,
  "jfif-short": () => app(0, "JFIF\0", 1, 1),
  "jfif-lower": () => app(0, "jfif\0", 1, 1, 0, u16(1), u16(1), 0, 0),
  "jfif-version-9": () => app(0, "JFIF\0", 9, 9, 9, u16(0), u16(0), 0, 0),
  "jfif-with-thumbnail": () => app(0, "JFIF\0", 1, 2, 0, u16(1), u16(1), 2, 2, zeros(12, 200)),
  jfxx: () => app(0, "JFXX\0", 0x13, 1, 1, 9, 9, 9),
  adobe0: () => adobe(0),
  adobe1: () => adobe(1),
  adobe2: () => adobe(2),
  adobe7: () => adobe(7),
  "adobe-short": () => app(14, "Adobe", 0, 100, 0, 0),
  "adobe-long": () => app(14, "Adobe", u16(100), u16(0), u16(0), 0, zeros(30, 1)),
  "adobe-lower": () => app(14, "adobe", u16(100), u16(0), u16(0), 0),
  "adobe-elsewhere": () => app(13, "Adobe", u16(100), u16(0), u16(0), 0),
  exif: () => ({ marker: 0xe1, body: exif({ orientation: 1 }) }),
  "exif-turned": () => ({ marker: 0xe1, body: exif({ orientation: 6 }) }),
  "exif-turned-back": () => ({ marker: 0xe1, body: exif({ orientation: 8, big: false }) }),
  comment: () => ({ marker: 0xfe, body: ascii("Adobe JFIF") }),
  spiff: () => app(8, "SPIFF\0", 1, 2, 0, 3, u32(240), u32(320), 8, 8, 5, 1, u32(72), u32(72)),
};
const IDS = [[1, 2, 3, 4], [0, 1, 2, 3], [..."RGBA"], [..."YCcK"], [1, 0x22, 0x23, 4], [3, 2, 1, 0], [9, 9, 9, 9]].map(
  (ids) => ids.map((id) => (typeof id === "string" ? id.charCodeAt(0) : id)),
);

/** Kind 1: markers, component ids and samples that disagree about the colours. */
function colours(roll) {
  const names = Array.from({ length: 1 + roll.below(3) }, () => roll.pick(Object.keys(HEADERS)));
  const model = roll.pick(["ycc", "ycc", "ycc", "rgb", "cmyk", "ycck", "grey"]);
  const parts = jpegParts({
    picture: picture(roll),
    model,
    ids: roll.pick(IDS),
    header: names.map((name) => HEADERS[name]()),
    progressive: roll.chance(0.3),
  });
  // Moves a header segment to a later place.
  if (roll.chance(0.4)) parts.splice(2 + roll.below(parts.length - 3), 0, ...parts.splice(1, 1));
  return [`${model}-${names.join("-")}`, () => assemble(parts)];
}

/** Returns the scans of the parts whose data has restart markers. */
const restarted = (parts) => parts.filter(({ intervals }) => intervals?.length > 2);

/** Kind 2: restart markers that are lost, doubled, renumbered, or beside lost data. */
function restarts(roll) {
  const sampling = roll.pick([
    undefined,
    [
      [2, 2],
      [1, 1],
      [1, 1],
    ],
    [
      [2, 1],
      [1, 1],
      [1, 1],
    ],
  ]);
  const progressive = roll.chance(0.3);
  const scans = !progressive && roll.chance(0.3) ? separateScans(3) : undefined;
  const interval = roll.pick([1, 2, 5, 8, 16, 20, 33, 40, 77]);
  const make = () => {
    const parts = jpegParts({ picture: listed("small", roll.below(3)), sampling, progressive, scans, interval });
    for (let edits = 1 + roll.below(3); edits > 0; edits -= 1) {
      const scan = roll.pick(restarted(parts));
      if (!scan) continue;
      const at = 1 + roll.below(scan.intervals.length - 1);
      const { intervals, restarts } = scan;
      const change = roll.pick(["lose", "lose", "number", "double", "empty", "cut", "marker"]);
      if (change === "lose") restarts[at - 1] = undefined;
      if (change === "number") restarts[at - 1] = (restarts[at - 1] + 1 + roll.below(7)) % 8;
      if (change === "double") intervals[at] = join(0xff, 0xd0 + (restarts[at - 1] ?? 0), intervals[at]);
      if (change === "empty") intervals[at] = new Uint8Array();
      if (change === "cut") intervals[at] = intervals[at].subarray(0, intervals[at].length >> 1);
      if (change === "marker") intervals[at] = join(0xff, roll.pick([0x01, 0x35, 0xbf]), intervals[at]);
    }
    return assemble(parts);
  };
  return [`every-${interval}${progressive ? "-p" : ""}${scans ? "-separate" : ""}`, make];
}

/** Kind 3: sampling factors. */
function samplings(roll) {
  const model = roll.pick(["ycc", "ycc", "ycc", "rgb", "ycck"]);
  const count = model === "ycck" ? 4 : 3;
  let factors;
  do factors = Array.from({ length: count }, () => [1 + roll.below(4), 1 + roll.below(4)]);
  while (factors.reduce((sum, [h, v]) => sum + h * v, 0) > 10);
  const progressive = roll.chance(0.25);
  const scans = !progressive && roll.chance(0.4) ? separateScans(count) : undefined;
  const header = { ycc: [jfif()], rgb: [adobe(0)], ycck: [adobe(2)] }[model];
  const name = `${model}-${factors.map((pair) => pair.join("x")).join("-")}${progressive ? "-p" : ""}${scans ? "-s" : ""}`;
  const options = { picture: picture(roll), model, sampling: factors, progressive, scans, header };
  return [name, () => jpeg({ ...options, interval: roll.pick([0, 0, 7]) })];
}

/** Kind 4: block means that show a decoy. */
function decoys(roll) {
  const style = roll.pick(Object.keys(STYLES));
  const most = style.startsWith("chroma") ? 1000 : roll.pick([300, 500, 800, 1500, 2500]);
  const table = roll.pick([steps(16, 0), steps(12, 1), steps(24, 2), steps(6, 0)]);
  const [number, share] = [roll.below(3), roll.pick([1, 1, 0.9, 0.6])];
  const progressive = roll.chance(0.5);
  const size = roll.pick(["large", "large", "small"]);
  return [
    `${size}-${style}-${most}-${share}${progressive ? "-p" : ""}`,
    () =>
      jpeg({
        coded: decoyedTerms({ listed: listed(size, number), decoy: decoy(size, number), style, most, table, share }),
        progressive,
        interval: roll.pick([0, 0, 19]),
      }),
  ];
}

/** Kind 5: two pictures in one file, in an order and with glue of many kinds. */
function two(roll) {
  const [first, second] = roll.chance(0.5) ? [listed("small"), decoy("small")] : [decoy("small"), listed("small")];
  const glue = roll.pick([[], zeros(1), zeros(7), ascii("\r\n"), Uint8Array.of(0xff), zeros(300, 0x20)]);
  const inside = roll.pick([[], [webpChunk("EXIF", zeros(4))], [webpChunk("abcd", zeros(3))], [webpChunk("VP8L", [])]]);
  const header = (at) => pngChunks({ picture: at })[0];
  const [one, other] = [() => pngChunks({ picture: first }), () => pngChunks({ picture: second })];
  const idat = (chunks) => chunks.find(({ type }) => type === "IDAT");
  const between = roll.pick([[], [pngChunk("tEXt", ascii("a\0b"))], [pngChunk("zzZz")], [pngChunk("PLTE", zeros(30))]]);
  const makers = {
    "jpeg-after": () => join(jpeg({ picture: first }), glue, jpeg({ picture: second })),
    "jpeg-no-end": () =>
      join(jpeg({ picture: first }).subarray(0, -2), glue, jpeg({ picture: second, progressive: true })),
    "jpeg-in-segment": () => {
      const parts = jpegParts({ picture: first });
      const body = jpeg({ picture: listed("tiny") }).subarray(0, 60000);
      return assemble([parts[0], { marker: roll.pick([0xe3, 0xed, 0xfe]), body }, ...parts.slice(1)]);
    },
    "jpeg-segment-length-0-before-second": () => {
      const [start, ...parts] = jpegParts({ picture: first });
      return assemble([start, { marker: 0xe5, body: zeros(0), length: roll.pick([0, 1, 2]) }, ...parts]);
    },
    "jpeg-two-frames-other-kind": () => {
      const parts = jpegParts({ picture: first });
      const frame = parts.findIndex(({ marker }) => marker === 0xc0);
      return assemble(parts.toSpliced(frame + roll.below(2), 0, { ...parts[frame], marker: roll.pick([0xc1, 0xc2]) }));
    },
    "webp-chunks": () => webp([...inside, losslessChunk(first), ...inside, losslessChunk(second)]),
    "webp-after": () => join(webp([losslessChunk(first)]), glue, webp([losslessChunk(second)])),
    "png-two-idat-runs": () => assemblePng([header(first), idat(one()), ...between, idat(other()), pngChunk("IEND")]),
    "png-two-headers": () => assemblePng([header(first), header(second), idat(one()), idat(other()), pngChunk("IEND")]),
    "png-after": () => join(png({ picture: first }), glue, png({ picture: second })),
    "png-data-after-end-of-stream": () => {
      const both = join(idat(one()).data, idat(other()).data);
      return assemblePng([header(first), pngChunk("IDAT", both), pngChunk("IEND")]);
    },
    "gif-after": () => {
      const [a, b] = [first, second].map((at) => assembleGif(gifBlocks({ frames: [{ picture: at }] })));
      return join(roll.chance(0.5) ? a : a.subarray(0, -1), glue, b);
    },
    "bmp-after": () => join(bmp({ picture: first }), glue, bmp({ picture: second })),
    "gif-then-jpeg": () => join(assembleGif(gifBlocks({ frames: [{ picture: first }] })), jpeg({ picture: second })),
    "jpeg-then-png": () => join(jpeg({ picture: first }), glue, png({ picture: second })),
  };
  const name = roll.pick(Object.keys(makers));
  return [`${first.seed}-${name}`, makers[name], `image/${name.split("-")[0]}`];
}

/** Kind 6: pictures that change with the background, in every format with alpha. */
function alphas(roll) {
  const name = roll.pick(Object.keys(mirages));
  const number = roll.below(3);
  const size = roll.pick(["small", "tiny"]);
  const { picture, alpha } = mirages[name](listed(size, number), decoy(size, number));
  const alphaAt = (at) => alpha[at];
  const fields = join(le32(0xff0000), le32(0xff00), le32(0xff), le32(0xff000000), ascii("BGRs"));
  const { width, height, planes } = picture;
  const rows = () =>
    Array.from({ length: height }, (_, y) =>
      Uint8Array.from({ length: 4 * width }, (_, at) => {
        const place = y * width + (at >> 2);
        return at % 4 === 3 ? alpha[place] : planes[2 - (at % 4)][place];
      }),
    );
  const type = roll.pick(["rgba", "grey-alpha"]);
  const still = () => png({ picture, type, alpha: alphaAt });
  const makers = {
    "png-deep": () => png({ picture, type: "rgba", alpha: alphaAt, deep: true }),
    "png-interlaced": () => png({ picture, type: "rgba", alpha: alphaAt, interlaced: true }),
    "png-background": () =>
      png({ picture, type: "rgba", alpha: alphaAt, before: [pngChunk("bKGD", join(u16(0), u16(0), u16(0)))] }),
    "png-grey": () => png({ picture, type: "grey-alpha", alpha: alphaAt }),
    webp: () => webp([losslessChunk(picture, alphaAt)]),
    bmp: () =>
      assembleBmp({ width, height, bits: 32, compression: 3, header: 108, more: fields, rows: rows(), topDown: true }),
    svg: () =>
      ascii(
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" ` +
          `height="${height}" href="data:image/png;base64,${Buffer.from(still()).toString("base64")}"/></svg>`,
      ),
    "x-icon": () =>
      join(
        le16(0),
        le16(1),
        le16(1),
        width & 255,
        height & 255,
        0,
        0,
        le16(1),
        le16(32),
        le32(still().length),
        le32(22),
        still(),
      ),
  };
  const format = roll.pick(
    size === "tiny" ? Object.keys(makers) : Object.keys(makers).filter((key) => key !== "x-icon"),
  );
  const named = format === "svg" ? "svg+xml" : format.split("-")[0].replace(/^x$/, "x-icon");
  return [`${format}-${name}`, makers[format], `image/${named}`];
}

/** Kind 7: colour profiles and chunks, some of which contradict each other. */
function profiles(roll) {
  const name = roll.pick(Object.keys(ODD));
  const { make: odd, stored } = ODD[name];
  const plain = roll.pick(Object.values(PLAIN));
  const order = roll.below(3);
  const chunk = (made) => pngChunk("iCCP", join(ascii("x\0"), 0, deflateSync(made)));
  const extras = [
    [pngChunk("gAMA", u32(roll.pick([1, 45455, 100000, 1000000])))],
    [pngChunk("sRGB", Uint8Array.of(roll.below(5)))],
    [pngChunk("cICP", Uint8Array.of(roll.pick([1, 9, 12]), roll.pick([1, 8, 13, 16, 18]), 0, 1))],
    [pngChunk("sBIT", Uint8Array.of(8, 8, 8))],
    [],
  ];
  const before = [roll.pick(extras), [chunk(odd())], roll.pick(extras)].flat();
  const shown = () => storedPicture("small", stored);
  const makers = {
    png: () => png({ picture: shown(), before: order === 0 ? before.reverse() : before }),
    "png-deep": () => png({ picture: shown(), before, deep: true, interlaced: true }),
    "jpeg-two-profiles": () =>
      jpeg({
        picture: shown(),
        model: "rgb",
        header: [...segments(order === 1 ? odd() : plain()), ...segments(order === 1 ? plain() : odd()), adobe(0)],
      }),
    "jpeg-in-parts": () =>
      jpeg({
        picture: shown(),
        model: "rgb",
        header: [adobe(0), ...segments(odd(), { part: 1 + roll.below(400) })].slice(0, 256),
        progressive: order === 2,
      }),
    "webp-extended": () =>
      webp([
        webpChunk("VP8X", join(roll.pick([0x20, 0]), zeros(3), le32(319).subarray(0, 3), le32(239).subarray(0, 3))),
        webpChunk("ICCP", odd()),
        losslessChunk(shown()),
      ]),
  };
  const format = roll.pick(Object.keys(makers));
  return [`${format}-${name}`, makers[format], `image/${format.split("-")[0]}`];
}

/** Kind 9: pieces that are missing, surplus or misdeclared, while the pixels are whole. */
function strict(roll) {
  const shown = picture(roll);
  const [lost, junk] = [roll.below(4), roll.pick([zeros(1), zeros(5, 0x21), ascii("xyz"), Uint8Array.of(0xff, 0xff)])];
  const insertedAt = (list, made) => list.toSpliced(1 + roll.below(list.length - 1), 0, made);
  const makers = {
    jpeg: () => {
      let parts = jpegParts({ picture: shown, progressive: roll.chance(0.3), interval: roll.pick([0, 30]) });
      if (roll.chance(0.5)) parts = parts.slice(0, -1);
      const segment = roll.pick([
        { raw: junk },
        { marker: roll.pick([0xfe, 0xe9, 0xe1]), body: zeros(0), length: roll.below(2) },
        { marker: roll.pick([0x01, 0xd3]) },
        { marker: 0xdc, body: u16(shown.height) },
        { marker: 0xdf, body: zeros(1) },
      ]);
      return assemble(insertedAt(parts, segment));
    },
    "jpeg-no-tables": () => {
      const standard = huffmanSegments("standard");
      const body = (part) => JSON.stringify([...(part.body ?? [])]);
      const same = new Set(standard.map(body));
      return assemble(jpegParts({ picture: shown }).filter((part) => part.marker !== 0xc4 || !same.has(body(part))));
    },
    gif: () => {
      const blocks = gifBlocks({ frames: [{ picture: shown, interlaced: roll.chance(0.3) }] });
      const kept = lost === 0 ? blocks.slice(0, -1) : blocks;
      const block = roll.pick([
        zeros(1 + roll.below(9)),
        Uint8Array.of(0x21, 0xfe, 0),
        Uint8Array.of(0x21, 0x7b, 2, 1, 1, 0),
      ]);
      return assembleGif(kept.toSpliced(2 + roll.below(kept.length - 1), 0, { bytes: block }));
    },
    png: () => {
      const chunks = pngChunks({ picture: shown, interlaced: roll.chance(0.3), deep: roll.chance(0.3) });
      const odd = roll.pick([
        { ...pngChunk("tEXt", ascii("k\0v")), crc: 9 },
        pngChunk("acTL", zeros(roll.below(9))),
        pngChunk("fcTL", zeros(26)),
        pngChunk("IDAT"),
      ]);
      const end = roll.pick([
        [],
        [{ ...pngChunk("IEND"), crc: 3 }],
        [{ raw: junk }],
        [pngChunk("IEND"), { raw: junk }],
      ]);
      return assemblePng([...insertedAt(chunks.slice(0, -1), odd), ...end]);
    },
    webp: () =>
      webp([losslessChunk(shown), ...(lost === 1 ? [{ raw: junk }] : [])], { more: roll.pick([-1, 1, 8, 12, 40]) }),
    bmp: () => {
      const whole = bmp({ picture: shown, topDown: roll.chance(0.3), gap: zeros(roll.below(9)), trailer: junk });
      return patched(whole, roll.pick([6, 8]), le16(roll.below(60000)));
    },
  };
  const format = roll.pick(Object.keys(makers));
  return [format, makers[format], `image/${format.split("-")[0]}`];
}

/** Kind 11: lengths, counts and sizes that are not what the format asks for. */
function broken(roll) {
  const shown = listed("small", roll.below(3));
  const [share, value] = [roll.next(), roll.pick([0, 1, 2, 5, 0x7f, 0x80, 0xfe, 0xff])];
  const makers = {
    "png-palette": () =>
      png({ picture: shown, type: "palette", palette: zeros(roll.pick([1, 2, 4, 5, 700, 755, 769, 1000])) }),
    "png-byte": () => patched(png({ picture: shown }), 8 + Math.floor(25 * share), [value]),
    "jpeg-byte": () => patched(jpeg({ picture: shown }), 2 + Math.floor(600 * share), [value]),
    "gif-byte": () =>
      patched(
        assembleGif(gifBlocks({ frames: [{ picture: shown }, { picture: other("tiny", 3) }] })),
        6 + Math.floor(8 * share),
        [value],
      ),
    "webp-byte": () => patched(webp([losslessChunk(shown)]), 12 + Math.floor(14 * share), [value]),
    "bmp-byte": () => patched(bmp({ picture: shown }), Math.floor(54 * share), [value]),
    "jpeg-bytes-lost": () => spliced(jpeg({ picture: shown }), 2 + Math.floor(5000 * share), 1 + roll.below(3)),
  };
  const name = roll.pick(Object.keys(makers));
  return [name, makers[name], `image/${name.split("-")[0]}`];
}

const KINDS = {
  colours,
  restarts,
  samplings,
  decoys,
  two,
  alphas,
  profiles,
  frames: combinedAnimation,
  strict,
  containers: combinedContainer,
  broken,
};

/** Yields the files, of each kind in turn. */
export function* combinedFiles(count = COUNT, from = 0) {
  for (const [at, [kind, choose]] of Object.entries(KINDS).entries()) {
    for (let number = from; number < from + count; number += 1) {
      const chosen = () => choose(dice(1000 * (Number(at) + 1) + number));
      const [name, , type = "image/jpeg"] = chosen();
      // Choices that are made while the file is made are repeated, too.
      yield { kind: `combined-${kind}`, name: `${number}-${name}`, type, make: () => chosen()[1]() };
    }
  }
}
