// Getting cards: a code, the daily check-in, and for a demo a code out of nothing.

import * as api from "./api.js";
import { celebrate, reveal } from "./cards.js";
import { $, on, show } from "./dom.js";
import { kind, state, takeHand, update, watch } from "./state.js";
import { nameOf, number, options, say } from "./words.js";

const CODE = "code";
const CHECK_IN = "check-in";

function quota(source) {
  return state.quotas.find((known) => known.source === source);
}

function take({ draw, hand, quota: left }) {
  const quotas = state.quotas.map((known) => (known.source === left.source ? left : known));
  takeHand(hand, { quotas });
  reveal(draw.kind, say("drawn", { name: nameOf(kind(draw.kind).name) }));
  celebrate(draw.kind);
}

async function scan(code) {
  const path = `campaigns/${state.campaign.slug}/scans`;
  take(await api.intend(`scan:${code}`, (key) => api.post(path, { code }, { key })));
}

async function checkIn() {
  const path = `campaigns/${state.campaign.slug}/check-ins`;
  take(await api.intend(`check-in:${state.campaign.slug}`, (key) => api.post(path, undefined, { key })));
}

/** A code may be the address behind a QR picture too: /?code=… */
function read(typed) {
  const text = typed.trim();
  const found = /[?&]code=([^&#\s]+)/.exec(text);
  return (found ? decodeURIComponent(found[1]) : text).replace(/\s/g, "").toUpperCase();
}

export function start() {
  on($("scan"), "submit", async () => {
    await scan(read($("code").value));
    $("code").value = "";
  });
  on($("check-in"), "click", checkIn);
  show($("get-code"), options.demo);
  on($("get-code"), "click", async () => {
    const { code } = await api.post(options.demo_code, { campaign: state.campaign.slug });
    $("code").value = code;
    $("code").focus();
  });
  watch(["quotas", "campaign"], () => {
    const live = state.campaign?.phase === "live";
    const [codes, days] = [quota(CODE), quota(CHECK_IN)];
    show($("collect"), live && state.player !== null);
    show($("check-in"), days !== undefined);
    show($("get-code"), options.demo);
    if (codes) $("left").textContent = say("left", { today: number(codes.left_today), all: number(codes.left) });
    if (days) {
      $("check-in").disabled = days.left_today === 0 || days.left === 0;
      $("check-in-text").textContent = say(days.left_today === 0 ? "check-in.done" : "check-in.do");
    }
  });
}

/** The code of the address that brought the player here, offered and not yet used: opening a link is not a scan. */
export function offer(code) {
  $("code").value = read(code);
  $("code").focus();
}
