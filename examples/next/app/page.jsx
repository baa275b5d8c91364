"use client";

import { openGate } from "hashgate";
import { useEffect, useRef } from "react";

export default function Page() {
  const form = useRef(null);
  useEffect(() => {
    // Opens the gate in an effect, which only browsers run: Next.js also renders this page on the server.
    const gate = openGate({ filters: ["/filters/demo.hgf"] });
    // The notice of `guard` is a custom element, which needs a browser. So the module is also imported here.
    const guarding = import("hashgate/guard").then(({ guard }) => guard(form.current, gate));
    return () => {
      guarding.then((guarded) => guarded.remove());
      gate.then((opened) => opened.close());
    };
  }, []);
  return (
    <form ref={form} action="/api/upload" method="post" encType="multipart/form-data">
      <label>
        Pictures <input type="file" name="pictures" multiple />
      </label>
      <button type="submit">Send</button>
    </form>
  );
}
