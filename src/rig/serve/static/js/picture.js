// A goal from an image: a file, the clipboard, a drop, or the webcam. The file is sent as it is.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { postBytes, sentence } from "./api.js";
import { Notice } from "./parts.js";
import { Webcam } from "./webcam.js";

const MOST_BYTES = 16 * 2 ** 20;

export function Picture({ run, isAwake, onGoal }) {
  const [error, setError] = useState("");
  const [isOver, setOver] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const file = useRef(null);
  const take = async (blob, source) => {
    if (!blob) return;
    if (blob.size > MOST_BYTES) { setError("This file is larger than 16 MB. Give a smaller image."); return; }
    setBusy(true);
    try {
      onGoal(await postBytes(`/api/runs/${run.id}/goals?source=${source}`, blob));
      setError("");
    } catch (wrong) { setError(sentence(wrong)); }
    setBusy(false);
  };
  useEffect(() => {
    const pasted = (event) => {
      const found = [...(event.clipboardData?.files || [])].find(({ type }) => type.startsWith("image/"));
      if (found) { event.preventDefault(); take(found, "paste"); }
    };
    addEventListener("paste", pasted);
    return () => removeEventListener("paste", pasted);
  }, [run.id]);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0], "drop");
  };
  return html`
    <div class=${`drop ${isOver ? "over" : ""}`} id="drop" onDrop=${drop}
      onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
      <p><strong>Drop an image here</strong>, paste one, or</p>
      <input ref=${file} id="goal-file" class="hidden" type="file" accept="image/*" tabindex="-1" aria-label="Image file"
        onChange=${(event) => { take(event.target.files[0], "upload"); event.target.value = ""; }} />
      <button type="button" class="button main" disabled=${!isAwake || isBusy} onClick=${() => file.current.click()}>Choose a file</button>
      <p class="faint">Any size: its middle square is used. It should show what the robot's camera could show.</p>
    </div>
    <${Webcam} isAwake=${isAwake} onPicture=${(blob) => take(blob, "webcam")} />
    ${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}`;
}
