import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import XHRUpload from "@uppy/xhr-upload";
import { openGate } from "hashgate";
import { HashgateUppy } from "hashgate/uppy";
import { useEffect, useRef } from "react";
import "@uppy/core/css/style.min.css";
import "@uppy/dashboard/css/style.min.css";

// One gate for the whole app: its workers hold the list.
const gate = openGate({ filters: ["/filters/demo.hgf"] });

export function Uploader() {
  const target = useRef(null);
  useEffect(() => {
    const uppy = new Uppy()
      .use(Dashboard, { target: target.current, inline: true })
      .use(XHRUpload, { endpoint: "/upload" })
      .use(HashgateUppy, { gate, whenUnavailable: "block" });
    return () => uppy.destroy();
  }, []);
  return <div ref={target} />;
}
