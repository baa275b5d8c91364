// Types for Vue's templates: `import "hashgate/notice/vue"` instead of "hashgate/notice".
import type { DefineComponent } from "vue";
import "./notice.js";

export * from "./notice.js";

/** The attributes of the element. */
export interface HashgateNoticeProps {
  lang?: string;
  /** The buttons that are shown: some of "choose review learn close". */
  actions?: string;
  learnMoreHref?: string;
}

declare module "vue" {
  interface GlobalComponents {
    "hashgate-notice": DefineComponent<HashgateNoticeProps>;
  }
}
