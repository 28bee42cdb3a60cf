// Elements by id, and new ones.

export const $ = (id) => document.getElementById(id);

// element("button", { className: "danger", onclick }, "Hang up"): text is never taken for HTML.
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Milliseconds as minutes and seconds.
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
