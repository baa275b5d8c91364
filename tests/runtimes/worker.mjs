// A Cloudflare Worker. In it, the policy and the fake gate work, but a real gate can't be opened.
import { decide, openGate } from "hashgate";
import { fakeGate } from "hashgate/testing";

async function opened(options) {
  try {
    const waiting = new Promise((resolve) => setTimeout(resolve, 50, "waits"));
    return await Promise.race([openGate({ filters: ["/demo.hgf"], ...options }), waiting]);
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
}

export default {
  async fetch() {
    const broken = { outcome: "unchecked", reason: "unreadable", detail: "", lookups: 0 };
    const { outcome } = await fakeGate({ held: ["listed.jpg"] }).check(new File(["x"], "listed.jpg"));
    const gates = [await opened({}), await opened({ browserOnly: true })];
    return Response.json([decide(broken, { unchecked: {} }), outcome, ...gates]);
  },
};
