"use client";

// Imported where the server renders, too; run in the browser alone.
import { openGate } from "hashgate";
import { useEffect } from "react";
import { check } from "../check.js";

export default function Page() {
  useEffect(() => {
    void check(openGate);
  }, []);
  return <output />;
}
