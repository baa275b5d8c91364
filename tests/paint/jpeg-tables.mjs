// Generates JPEG files with odd tables, with block means that show another picture, and files that end early.
import { join, u16, zeros } from "./bytes.mjs";
import { decoyedTerms, STYLES } from "./decoys.mjs";
import { assemble, huffmanSegments, jpeg, jpegParts, progressiveScans, separateScans, steps } from "./jpeg-coder.mjs";
import { edited, frameOf, H2V2, place } from "./jpeg-edits.mjs";
import { decoy, listed } from "./pictures.mjs";

/**
 * Generates files whose block means show a decoy. Their other terms show the listed picture, once a decoder clips the
 * pixels.
 */
export function* decoys() {
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
                jpeg({
                  coded: decoyedTerms({ listed: listed(size), decoy: decoy(size), style, most, table }),
                  progressive,
                }),
            };
          }
        }
      }
    }
    for (const most of [600, 2000]) {
      yield {
        kind: "jpeg-dc-decoy-grey",
        name: `${size}-most-${most}`,
        make: () =>
          jpeg({
            coded: decoyedTerms({
              listed: listed(size, 1),
              decoy: decoy(size, 1),
              style: "dither",
              most,
              table: steps(16, 0),
              grey: true,
            }),
          }),
      };
    }
    for (const share of [0.25, 0.5, 0.75]) {
      yield {
        kind: "jpeg-dc-decoy-part",
        name: `${size}-share-${share}`,
        make: () =>
          jpeg({
            coded: decoyedTerms({
              listed: listed(size, 1),
              decoy: decoy(size, 1),
              style: "dither",
              most: 2000,
              table: steps(16, 0),
              share,
            }),
          }),
      };
    }
  }
}

/**
 * Generates files with quantization and Huffman tables that are redefined, have 16-bit entries or zeros, or are at odd
 * places.
 */
export function* tablesOdd() {
  for (const size of ["small", "large"]) {
    const picture = () => listed(size, 1);
    const dqt = (at, table, wide = false) => ({
      marker: 0xdb,
      body: join(wide ? 16 + at : at, ...(wide ? table.map(u16) : [Uint8Array.from(table)])),
    });
    const plain = steps(6, 2);
    const edits = {
      "16-bit": (parts) => void parts.splice(place(parts, 0xdb), 1, dqt(0, plain, true)),
      "redefined-before-frame": (parts) =>
        void parts.splice(
          place(parts, 0xdb),
          0,
          dqt(
            0,
            plain.map(() => 1),
          ),
        ),
      "redefined-between": (parts) =>
        void parts.splice(
          place(parts, 0xda) + 1,
          0,
          dqt(
            0,
            plain.map((_, at) => (at === 0 ? 1 : 30)),
          ),
        ),
      "redefined-at-end": (parts) =>
        void parts.splice(
          -1,
          0,
          dqt(
            0,
            plain.map((_, at) => (at === 0 ? 1 : 30)),
          ),
        ),
      "redefined-at-scan": (parts) =>
        void parts.splice(
          place(parts, 0xda),
          0,
          dqt(
            0,
            plain.map((step) => Math.min(255, 2 * step)),
          ),
        ),
      "zeros-in-ac": (parts) =>
        void parts.splice(
          place(parts, 0xdb),
          1,
          dqt(
            0,
            plain.map((step, at) => (at > 30 ? 0 : step)),
          ),
        ),
      "zero-dc": (parts) =>
        void parts.splice(
          place(parts, 0xdb),
          1,
          dqt(
            0,
            plain.map((step, at) => (at > 0 ? step : 0)),
          ),
        ),
      65535: (parts) =>
        void parts.splice(
          place(parts, 0xdb),
          1,
          dqt(
            0,
            plain.map((step, at) => (at > 50 ? 65535 : step)),
            true,
          ),
        ),
      "number-3": (parts) => {
        parts[place(parts, 0xdb)] = dqt(3, plain);
        for (let at = 8; at < frameOf(parts).body.length; at += 3) frameOf(parts).body[at] = 3;
      },
      "number-missing": (parts) => {
        for (let at = 8; at < frameOf(parts).body.length; at += 3) frameOf(parts).body[at] = 2;
      },
      "number-4": (parts) => void parts.splice(place(parts, 0xdb), 0, dqt(4, plain)),
      short: (parts) => {
        const at = place(parts, 0xdb);
        parts[at] = { ...parts[at], body: parts[at].body.subarray(0, 40) };
      },
      long: (parts) => {
        const at = place(parts, 0xdb);
        parts[at] = { ...parts[at], body: join(parts[at].body, 1, 2, 3) };
      },
      "dht-twice": (parts) =>
        void parts.splice(
          place(parts, 0xda),
          0,
          ...huffmanSegments(parts.some(({ marker }) => marker === 0xc2) ? "flat" : "standard"),
        ),
      "dht-other-first": (parts) =>
        void parts.splice(
          place(parts, 0xc4),
          0,
          ...huffmanSegments(parts.some(({ marker }) => marker === 0xc2) ? "standard" : "flat"),
        ),
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
      "dht-all-ones": (parts) =>
        void parts.splice(place(parts, 0xc4), 0, { marker: 0xc4, body: join(0x01, 2, zeros(15), 0, 1) }),
      "dht-redefined-after": (parts) => void parts.splice(-1, 0, ...huffmanSegments("flat")),
    };
    for (const progressive of [false, true]) {
      for (const [name, edit] of Object.entries(edits)) {
        yield {
          kind: "jpeg-tables",
          name: `${size}${progressive ? "p" : ""}-${name}`,
          make: () => {
            const parts = jpegParts({ picture: picture(), progressive, tables: [plain] });
            return assemble(edited(parts, edit));
          },
        };
      }
      // The quantization steps of Y change between its scan and the end of the file. A decoder may use either.
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

/** Generates files that end early, at many places. */
export function* cut() {
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
