// What the scripts say, in the language of the page. English texts are the keys; the server has put the translations
// of them into the page.

const texts = JSON.parse(document.getElementById("texts").textContent);

export const lang = document.documentElement.lang;

/** The translation of `text`, with each {name} replaced by its value. */
export function t(text, values = {}) {
  return (texts[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** The same for `count` things: {count} stands for the number as the language writes it. */
export function tn(one, many, count, values = {}) {
  return t(count === 1 ? one : many, { count: integer.format(count), ...values });
}

// Beside Chinese characters numbers stand with a space, as in the catalogue.
function number(options) {
  const plain = new Intl.NumberFormat(lang, options);
  return { format: (n) => plain.format(n).replace(/(\d)(?=\p{Script=Han})/gu, "$1 ") };
}
const unit = (name, digits = 0) =>
  number({ style: "unit", unit: name, minimumFractionDigits: digits, maximumFractionDigits: digits });
const integer = number({ maximumFractionDigits: 0 });
const compact = number({ notation: "compact", maximumFractionDigits: 1 });
const kilobytes = unit("kilobyte");
const megabytes = unit("megabyte");
const megabytesExact = unit("megabyte", 1);
const milliseconds = unit("millisecond");
const millisecondsExact = unit("millisecond", 1);
const secondsExact = unit("second", 1);

/** Numbers, bytes and times for people. */
export const format = {
  integer: (n) => integer.format(n),
  short: (n) => (n < 10000 ? integer.format(n) : compact.format(n)),
  bytes: (n) => (n < 1e6 ? kilobytes.format(n / 1e3) : (n < 1e8 ? megabytesExact : megabytes).format(n / 1e6)),
  ms: (n) => (n < 10 ? millisecondsExact : milliseconds).format(n),
  seconds: (n) => secondsExact.format(n),
  uptime(seconds) {
    const s = Math.floor(seconds);
    if (s < 60) return t("{s} s", { s });
    if (s < 3600) return t("{m} min {s} s", { m: Math.floor(s / 60), s: s % 60 });
    return t("{h} h {m} min", { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  },
};
