// The last round of practice: imagined goals above, what the camera saw below.

export const Practice = () => null;
