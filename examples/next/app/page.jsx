"use client";

import { openGate } from "hashgate";
import { useEffect, useRef } from "react";

export default function Page() {
  const form = useRef(null);
  useEffect(() => {
    // Opened in the browser alone: the server renders this page too.
    const gate = openGate({ filters: ["/filters/demo.hgf"] });
    // The notice that `guard` shows is an element that only browsers have, so it is loaded here.
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
