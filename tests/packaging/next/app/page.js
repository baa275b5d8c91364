"use client";

// The server also imports this module when it renders the page, but only browsers run the effect with the gate.
import { openGate } from "hashgate";
import { useEffect } from "react";
import { check } from "../check.js";

export default function Page() {
  useEffect(() => {
    void check(openGate);
  }, []);
  return <output />;
}
