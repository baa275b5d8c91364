import { openGate } from "hashgate/inline";
import { check } from "./check.js";

void check(openGate);
