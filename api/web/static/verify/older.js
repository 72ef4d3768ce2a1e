// What browsers since Safari 15.0 and Chromium 85 lack of the language that the page is written in.
// Phones in shops are old, and so are the browsers inside chat programs.

if (!Object.hasOwn) {
  define(Object, "hasOwn", (value, key) => Object.prototype.hasOwnProperty.call(value, key));
}
if (!Array.prototype.at) {
  define(Array.prototype, "at", function at(index) {
    return this[index < 0 ? this.length + index : index];
  });
}

function define(target, name, value) {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}
