import { openGate } from "hashgate";
import { check } from "./check.js";

void check(openGate);
