// Between pixels of the picture and positions of things: a plane seen by a camera.
// Pixels are shares of the picture's side, from 0 to 1.

const dot = (row, values) => row.reduce((sum, each, index) => sum + each * values[index], 0);

// The 3 x 3 matrix from the first two joints and 1 to pixels, with the other joints as they are.
export function homography(toPixels, numbers) {
  const last = toPixels[0].length - 1;
  return toPixels.map((row) => {
    let constant = row[last];
    for (let index = 2; index < last; index += 1) constant += row[index] * numbers[index];
    return [row[0], row[1], constant];
  });
}

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const size = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((each) => each / size));
}

function apply(matrix, x, y) {
  const [u, v, w] = matrix.map((row) => dot(row, [x, y, 1]));
  return [u / w, v / w];
}

// Where a thing is drawn.
export function pixelOf(thing, numbers) {
  if (thing.to_pixels) return apply(homography(thing.to_pixels, numbers), numbers[0], numbers[1]);
  const near = nearestOnArc(thing.arc, ([angle]) => Math.abs(angle - numbers[0]));
  return [near[1], near[2]];
}

// The numbers of a thing that was dragged to a pixel; its limits are not looked at.
export function numbersAt(thing, numbers, [px, py]) {
  if (thing.to_pixels) {
    const [x, y] = apply(inverse(homography(thing.to_pixels, numbers)), px, py);
    return [x, y, ...numbers.slice(2)];
  }
  return [nearestOnArc(thing.arc, ([, x, y]) => Math.hypot(x - px, y - py))[0]];
}

const nearestOnArc = (arc, distance) =>
  arc.reduce((best, point) => (distance(point) < distance(best) ? point : best));

// The numbers after a step of `length` in a direction of the picture, as an arrow key asks for.
export function stepped(thing, numbers, [dx, dy], length) {
  if (!thing.to_pixels) return [numbers[0] + (dx + -dy) * length];
  const here = pixelOf(thing, numbers);
  const [x, y] = numbersAt(thing, numbers, [here[0] + dx * 0.01, here[1] + dy * 0.01]);
  const moved = [x - numbers[0], y - numbers[1]];
  const size = Math.hypot(...moved) || 1;
  return [numbers[0] + (moved[0] / size) * length, numbers[1] + (moved[1] / size) * length, ...numbers.slice(2)];
}

// The numbers inside their limits, and whether they had to be changed.
export function clamped(thing, numbers) {
  const inside = numbers.map((each, index) => {
    const { low, high } = thing.joints[index];
    return Math.min(Math.max(each, low), high);
  });
  return { numbers: inside, isEdge: inside.some((each, index) => Math.abs(each - numbers[index]) > 1e-9) };
}
