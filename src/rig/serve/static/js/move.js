// Move things in the simulated picture: mouse, touch, arrow keys, or numbers.

import { html } from "../vendor/htm-preact-standalone.module.js";

export const MoveThings = () => html`<p class="faint">Soon.</p>`;
