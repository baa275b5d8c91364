// Generates JPEG files with every combination of headers, component ids and sampling factors.
import { ascii, dice } from "./bytes.mjs";
import { HEADERS, jpeg, separateScans } from "./jpeg-coder.mjs";
import { listed } from "./pictures.mjs";

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

/** Generates files with every header and every set of component ids, with either colour model. */
export function* colours() {
  const sizes = [
    ["small", false, 1],
    ["small", true, 4],
    ["large", false, 5],
    ["large", true, 11],
  ];
  for (const [size, progressive, stride] of sizes) {
    let count = 0;
    for (const [header, segments] of Object.entries(HEADERS)) {
      for (const [id, ids] of Object.entries(IDS)) {
        for (const model of ["ycc", "rgb"]) {
          count += 1;
          if (count % stride !== 0) continue;
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
          count += 1;
          if (count % (2 * stride) !== 0) continue;
          const options = { model, ids: IDS[id], header: segments, progressive };
          const number = count;
          const sampling =
            count % 3 === 0 && model.startsWith("ycck")
              ? [
                  [2, 2],
                  [1, 1],
                  [1, 1],
                  [2, 2],
                ]
              : undefined;
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

/**
 * Generates files with every pair of luma and chroma sampling factors, and with different factors for the two chromas.
 */
export function* samplings() {
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
