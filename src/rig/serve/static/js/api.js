// Requests to the server. An error has what is wrong, and what to do.

export class ApiError extends Error {
  constructor(status, { code = "", what = "", todo = "" } = {}) {
    super(what || `the server answered ${status}`);
    this.status = status;
    this.code = code;
    this.todo = todo;
  }
}

async function request(method, path, body, type) {
  let response;
  try {
    response = await fetch(path, {
      method,
      body,
      headers: body === undefined ? {} : { "content-type": type },
      credentials: "same-origin",
    });
  } catch {
    throw new ApiError(0, { code: "offline", what: "rig serve does not answer.", todo: "See whether it still runs." });
  }
  const is_json = (response.headers.get("content-type") || "").includes("json");
  const values = is_json ? await response.json() : {};
  if (!response.ok) throw new ApiError(response.status, values);
  return values;
}

export const get = (path) => request("GET", path);
export const post = (path, values = {}) =>
  request("POST", path, JSON.stringify(values), "application/json");
export const postBytes = (path, blob) =>
  request("POST", path, blob, blob.type || "application/octet-stream");

// The same error, said once, as a sentence for people.
export function sentence(error) {
  const what = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  const ended = /[.!?]$/.test(what) ? what : `${what}.`;
  if (!error.todo) return ended;
  const todo = error.todo.charAt(0).toUpperCase() + error.todo.slice(1);
  return `${ended} ${/[.!?]$/.test(todo) ? todo : `${todo}.`}`;
}
