// Exports all public types.
export type * from "./error-codes.js";
export type * from "./gate.js";
export type * from "./options.js";
export type * from "./policy.js";
export type * from "./report.js";
export type * from "./status.js";
export type * from "./verdict.js";
