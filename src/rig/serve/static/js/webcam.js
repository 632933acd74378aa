// The browser's own camera, for goals only: the robot's camera belongs to the server.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact-standalone.module.js";
import { Notice } from "./parts.js";

export function Webcam({ isAwake, onPicture }) {
  const [stream, setStream] = useState(null);
  const [error, setError] = useState("");
  const video = useRef(null);
  const canBe = window.isSecureContext && navigator.mediaDevices?.getUserMedia;
  useEffect(() => {
    if (stream && video.current) video.current.srcObject = stream;
    return () => stream?.getTracks().forEach((track) => track.stop());
  }, [stream]);
  const open = () => navigator.mediaDevices.getUserMedia({ video: true })
    .then((found) => { setStream(found); setError(""); })
    .catch((wrong) => setError(`The camera can't be used (${wrong.message}).`));
  const take = () => {
    const { videoWidth: width, videoHeight: height } = video.current;
    if (!width) return;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(video.current, 0, 0);
    canvas.toBlob((blob) => onPicture(blob), "image/png");
    setStream(null);
  };
  if (!canBe) return html`<p class="faint">The webcam needs this page at 127.0.0.1 or localhost: use <code>ssh -L</code>.</p>`;
  return html`<div class="webcam">
    ${stream ? html`<video ref=${video} autoplay muted playsinline aria-label="Your webcam"></video>
      <p class="row"><button type="button" class="button main" onClick=${take}>Take the picture</button>
      <button type="button" class="button" onClick=${() => setStream(null)}>Close the webcam</button></p>`
      : html`<button type="button" class="button" disabled=${!isAwake} onClick=${open}>Use the webcam</button>`}
    ${error && html`<${Notice} kind="bad" role="alert">${error}<//>`}
  </div>`;
}
