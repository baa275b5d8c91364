import { createRoot } from "react-dom/client";
import { Uploader } from "./uploader.jsx";

createRoot(document.querySelector("#root")).render(<Uploader />);
