// What the server's page says, in the reader's language, and how amounts and names are written in it.

const read = (id) => JSON.parse(document.getElementById(id).textContent);

const words = read("words");
export const options = read("options");
export const language = document.documentElement.lang;

export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** In words: what the server said, or the page itself when there was no answer. */
export function explain(error) {
  if (error.offline) return say("offline");
  return error.detail || error.title || say("trouble");
}

export const nameOf = (name) => (language.startsWith("zh") ? name.zh : name.en);

const money = new Intl.NumberFormat(language, {
  style: "currency",
  currency: "CNY",
  currencyDisplay: "narrowSymbol",
});
const roundMoney = new Intl.NumberFormat(language, {
  style: "currency",
  currency: "CNY",
  currencyDisplay: "narrowSymbol",
  maximumFractionDigits: 0,
});
const whole = new Intl.NumberFormat(language);

const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** A server's instant, in the reader's time zone. */
export const instant = (at) => moment.format(Date.parse(at));
export const yuan = (fen) => money.format(fen / 100);
export const number = (count) => whole.format(count);

/** Three digits, rounded down: an estimate shall promise nobody too much, nor look more exact than it is. */
export function about(fen) {
  const unit = 10 ** Math.max(0, String(fen).length - 3);
  const rounded = Math.floor(fen / unit) * unit;
  return rounded < 100_00 ? yuan(rounded) : roundMoney.format(rounded / 100);
}
