// Types for JSX. With `import "hashgate/notice/react"` instead of "hashgate/notice", TypeScript knows
// `<hashgate-notice>` in React 18 or later.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { HashgateNotice } from "./notice.js";
import "./notice.js";

export * from "./notice.js";

/** The attributes of the element. */
export interface HashgateNoticeAttributes extends HTMLAttributes<HashgateNotice> {
  /** The buttons that are shown: some of "choose review learn close". */
  actions?: string;
  "learn-more-href"?: string;
}

export type HashgateNoticeProps = DetailedHTMLProps<HashgateNoticeAttributes, HashgateNotice>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "hashgate-notice": HashgateNoticeProps;
    }
  }
}
