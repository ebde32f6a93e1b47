// The red packet: sealed until the reveal, then opened by the player. Before that the page knows no amount.

import * as api from "./api.js";
import { $, isCalm, on, show } from "./dom.js";
import { state, update, watch } from "./state.js";
import { say, yuan } from "./words.js";

const COUNT_MS = 1400;

export async function fetch() {
  if (!state.player || ["warmup", "live"].includes(state.campaign.phase)) return;
  update({ packet: await api.get(`campaigns/${state.campaign.slug}/packet`) });
}

async function open() {
  const path = `campaigns/${state.campaign.slug}/packet/opening`;
  const opened = await api.intend(`open:${state.campaign.slug}`, (key) => api.post(path, undefined, { key }));
  $("balance").textContent = say("balance", { amount: yuan(opened.wallet_balance_fen) });
  update({ packet: { ...state.packet, state: "opened", amount_fen: opened.amount_fen } });
  // The button that had the focus is gone, and what it brought shall be in sight.
  $("packet-title").focus({ preventScroll: true });
  $("packet").scrollIntoView({ block: "center", behavior: isCalm() ? "auto" : "smooth" });
  await countUp(opened.amount_fen);
}

async function countUp(fen) {
  const amount = $("amount");
  if (isCalm()) return;
  const began = performance.now();
  amount.setAttribute("aria-hidden", "true");
  for (let passed = 0; passed < 1; ) {
    passed = Math.min((await new Promise(requestAnimationFrame)) - began, COUNT_MS) / COUNT_MS;
    amount.textContent = yuan(Math.round(fen * (1 - (1 - passed) ** 3)));
  }
  amount.textContent = yuan(fen);
  amount.removeAttribute("aria-hidden");
}

const told = (packet) => {
  if (packet.state !== "none") return say(`packet.${packet.state}`);
  return say(packet.settled ? "packet.none" : "packet.counting");
};

export function start() {
  on($("open-packet"), "click", open);
  watch(["packet", "player"], () => {
    const { packet, player } = state;
    show($("packet"), Boolean(packet && player));
    if (!packet) return;
    $("packet").dataset.state = packet.state;
    $("packet-text").textContent = told(packet);
    show($("open-packet"), packet.state === "ready");
    show($("amount"), packet.state === "opened");
    show($("balance"), packet.state === "opened" && $("balance").textContent !== "");
    if (packet.state === "opened") $("amount").textContent = yuan(packet.amount_fen);
  });
}
