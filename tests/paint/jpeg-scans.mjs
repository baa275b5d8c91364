// Generates JPEG files with odd restart markers or scans.
import { join, u16, zeros } from "./bytes.mjs";
import { assemble, jpeg, jpegParts, progressiveScans, separateScans, terms } from "./jpeg-coder.mjs";
import { edited, firstScan, H1V1, H2V1, H2V2, place } from "./jpeg-edits.mjs";
import { decoy, listed } from "./pictures.mjs";

/** Generates files with restart markers that are lost, doubled, out of order, or at another interval than declared. */
export function* restarts() {
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
    "removed-two": (parts) => {
      for (const at of [2, 5]) remove(at)(parts);
    },
    "removed-three-in-a-row": (parts) => {
      for (const at of [2, 2, 2]) remove(at)(parts);
    },
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
          return assemble(edited(parts, edit));
        },
      };
    }
  }
  // The DRI segment declares restarts, but the data has none. The file is valid if the data ends before the first
  // restart.
  for (const count of [1, 2, 3]) {
    yield {
      kind: "jpeg-restart",
      name: `dri-of-${count}-rows-of-four`,
      make: () => jpeg({ picture: listed("small", count), interval: 40 * count }),
    };
  }
}

/** Generates files with scans in many orders, with missing or surplus scans, and with scans that overwrite others. */
export function* scans() {
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
      "ac-band-by-band": () => [
        dc(),
        ...[1, 2, 3, 9, 20].flatMap((first, at, all) => acs({ first, last: (all[at + 1] ?? 64) - 1 })),
      ],
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
          make: () =>
            assemble(jpegParts({ coded: own(), scans: script(), progressive: true, interval: 20 }).slice(0, -1)),
        };
      }
      // The frame header says that the file is sequential although its scans are progressive, or the reverse.
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
