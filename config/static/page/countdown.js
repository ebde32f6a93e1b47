// The countdown, by the server's clock, and what is due when it has run out.

import * as clock from "./clock.js";
import { $, show } from "./dom.js";
import { state, watch } from "./state.js";
import { about, language, nameOf, number, say } from "./words.js";

const UNITS = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
];
// Not everybody at once.
const SPREAD_MS = 1500;

const over = (phase) => !["warmup", "live"].includes(phase);

/** What is counted down to: its words and its instant; null once nothing more comes. */
export function next(campaign, now) {
  const { opens_at: opens, closes_at: closes, reveal_at: reveals } = campaign;
  const targets = [
    ["opens-in", opens],
    ["closes-in", closes],
    ["reveal-in", reveals],
  ];
  const found = targets.find(([, at]) => Date.parse(at) > now);
  return found ? { label: found[0], at: Date.parse(found[1]) } : null;
}

/** `due` is called a moment after a countdown has run out. */
export function start(due) {
  let waitingFor = null;
  const tick = () => {
    if (!state.campaign || Number.isNaN(clock.now())) return;
    const target = next(state.campaign, clock.now());
    if (waitingFor !== null && waitingFor !== (target?.at ?? 0)) setTimeout(due, Math.random() * SPREAD_MS);
    waitingFor = target?.at ?? 0;
    $("countdown-label").textContent = target ? say(target.label) : say("revealed");
    show($("digits"), target !== null);
    show($("schedule"), target !== null);
    if (target) write(Math.ceil((target.at - clock.now()) / 1000));
  };
  setInterval(tick, 250);
  watch(["campaign"], tick);
}

function write(seconds) {
  let left = seconds;
  for (const [name, length] of UNITS) {
    const text = String(Math.floor(left / length)).padStart(2, "0");
    left %= length;
    // Untouched where nothing changed: what watches the page needn't look.
    if ($(name).textContent !== text) $(name).textContent = text;
  }
}

export function drawHead() {
  watch(["campaign"], () => {
    if (!state.campaign) return;
    $("campaign-name").textContent = nameOf(state.campaign.name);
    const options = { weekday: "long", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" };
    const at = new Intl.DateTimeFormat(language, options);
    $("schedule").textContent = say("schedule", {
      close: at.format(Date.parse(state.campaign.closes_at)),
      reveal: at.format(Date.parse(state.campaign.reveal_at)),
    });
    document.body.dataset.phase = state.campaign.phase;
  });
  watch(["share", "campaign"], () => {
    const { share, campaign } = state;
    if (!share || share.complete === null || !campaign) return;
    // The count is some seconds old, and knows less than whoever has just completed a set.
    if (share.complete === 0 && state.complete) return;
    const count = number(share.complete);
    const each = share.each_fen === null ? null : share.each_fen === 0 ? say("share.under-a-fen") : about(share.each_fen);
    const when = over(campaign.phase) ? "closed" : "live";
    $("share").textContent =
      each === null ? say("share.none") : say(`share.${share.complete === 1 ? "one" : "many"}.${when}`, { count, each });
  });
}
