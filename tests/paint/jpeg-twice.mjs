// Generates JPEG files that hold two pictures, or whose EXIF segment turns the picture.
import { ascii, join, u16, u32 } from "./bytes.mjs";
import { exif } from "./exif.mjs";
import { assemble, jpeg, jpegParts } from "./jpeg-coder.mjs";
import { decoy, listed } from "./pictures.mjs";

/**
 * Generates files with two pictures: as two frames, two joined files, thumbnails, or MPF. Either may be the listed one.
 */
export function* twice() {
  for (const size of ["small", "large"]) {
    for (const progressive of [false, true]) {
      const orders = { "decoy-listed": [decoy(size), listed(size)], "listed-decoy": [listed(size), decoy(size)] };
      for (const [order, [first, second]] of Object.entries(orders)) {
        const one = () => jpegParts({ picture: first, progressive });
        const two = () => jpegParts({ picture: second, progressive });
        const body = (parts) => parts.slice(1, -1);
        const isFrame = ({ marker }) => marker === 0xc0 || marker === 0xc2;
        const otherSize = () =>
          jpegParts({
            picture: (order === "decoy-listed" ? listed : decoy)(size === "small" ? "large" : "small"),
            progressive,
          });
        const made = {
          "after-eoi": () => [...one(), ...two()],
          "after-no-eoi": () => [...one().slice(0, -1), ...two()],
          "without-soi": () => [...one().slice(0, -1), ...two().slice(1)],
          "all-twice-within": () => [{ marker: 0xd8 }, ...body(one()), ...body(two()), { marker: 0xd9 }],
          "frame-twice": () => one().flatMap((part) => (isFrame(part) ? [part, part] : [part])),
          "frame-other-then-own": () =>
            one().flatMap((part) => (isFrame(part) ? [otherSize().find(isFrame), part] : [part])),
          "frame-own-then-other": () =>
            one().flatMap((part) => (isFrame(part) ? [part, otherSize().find(isFrame)] : [part])),
          "frame-again-before-second-scan": () => [
            ...one().slice(0, -1),
            two().find(isFrame),
            ...two().filter(({ intervals }) => intervals),
            { marker: 0xd9 },
          ],
          "second-scan-alone": () => [
            ...one().slice(0, -1),
            ...two().filter(({ intervals }) => intervals),
            { marker: 0xd9 },
          ],
          "other-size-within": () => [{ marker: 0xd8 }, ...body(one()), ...body(otherSize()), { marker: 0xd9 }],
          "other-size-after": () => [...one(), ...otherSize()],
          "soi-within": () => [...one().slice(0, -1), { marker: 0xd8 }, ...body(two()), { marker: 0xd9 }],
          "eoi-between-scans": () =>
            one()
              .flatMap((part) => (part.intervals ? [part, { marker: 0xd9 }] : [part]))
              .concat(two()),
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
            const thumbnail =
              size === "small"
                ? assemble(two())
                : jpeg({ picture: (order === "decoy-listed" ? listed : decoy)("small") });
            return assemble([
              { marker: 0xd8 },
              { marker: 0xe1, body: exif({ thumbnail }) },
              ...body(one()),
              { marker: 0xd9 },
            ]);
          },
        };
        yield {
          kind: "jpeg-two-pictures",
          name: `${size}-${order}-mpf`,
          make: () => {
            const second = assemble(two());
            const whole = (offset, length) =>
              assemble([
                { marker: 0xd8 },
                { marker: 0xe2, body: mpf(length, second.length, offset) },
                ...body(one()),
                { marker: 0xd9 },
              ]);
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
  for (const [name, options] of Object.entries({
    big: { orientation: 6, big: true },
    "size-otherwise": { orientation: 8, width: 10, height: 900 },
    resolution: { orientation: 1, resolution: 10 },
  })) {
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
