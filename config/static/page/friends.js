// Friends: by invitation link, and giving them cards.

import * as api from "./api.js";
import { card, celebrate, held } from "./cards.js";
import { $, complain, copy, on, part, show, toast } from "./dom.js";
import { kind, state, takeHand, update, watch } from "./state.js";
import { nameOf, number, options, say } from "./words.js";

const MOST_PAGES = 5;

export const called = (player) => player.nickname || player.username || say("somebody");

export async function fetch() {
  let [friends, path] = [[], "friendships?limit=100"];
  for (let page = 0; path && page < MOST_PAGES; page += 1) {
    const { items, next } = await api.get(path);
    friends = friends.concat(items);
    path = next && api.pathOf(next);
  }
  update({ friends });
}

/** How a player is called whom an event names by id only. */
export function nameOfFriend(id) {
  const found = state.friends.find(({ player }) => player.id === id);
  return found ? called(found.player) : say("somebody");
}

async function answer(player, accepts) {
  const path = `friendships/${player.id}`;
  await (accepts ? api.post(`${path}/acceptance`) : api.call("DELETE", path));
  await fetch();
}

function row({ player, state: standing }) {
  const element = copy("a-friend", { name: called(player), initial: [...called(player)][0] });
  element.dataset.player = player.id;
  const name = { name: called(player) };
  const button = (which, label, work) => {
    const made = part(element, which);
    show(made, true);
    made.setAttribute("aria-label", say(label, name));
    on(made, "click", work);
  };
  if (standing === "friends") button("give", "give.to", () => choose(player));
  if (standing === "asked") {
    button("accept", "friend.accept", () => answer(player, true));
    button("decline", "friend.decline", () => answer(player, false));
  }
  if (standing === "asking") part(element, "note").textContent = say("friend.asking");
  return element;
}

function drawList() {
  const shown = state.friends.filter((friend) => friend.state !== "blocked");
  $("friend-list").replaceChildren(...shown.map(row));
  show($("no-friends"), shown.length === 0);
}

let receiver = null;

function choose(player) {
  receiver = player;
  const cards = state.kinds.filter(({ slug }) => held(slug) > 0);
  $("give-title").textContent = say("give.which", { name: called(player) });
  $("give-cards").replaceChildren(...cards.map(({ slug, name }) => choice(slug, nameOf(name))));
  show($("give-nothing"), cards.length === 0);
  $("give-now").disabled = cards.length === 0;
  // The first double, which costs nothing; else the player shall choose.
  const double = cards.find(({ slug }) => held(slug) > 1);
  const first = $("give-cards").querySelector(double ? `input[value="${CSS.escape(double.slug)}"]` : "none");
  if (first) first.checked = true;
  $("give").showModal();
}

function choice(slug, name) {
  const element = copy("a-choice");
  const input = element.querySelector("input");
  input.value = slug;
  const drawn = card(slug);
  drawn.setAttribute("aria-hidden", "true");
  drawn.removeAttribute("role");
  part(drawn, "count").textContent = `×${number(held(slug))}`;
  input.setAttribute("aria-label", say("held", { name, count: number(held(slug)) }));
  element.append(drawn);
  return element;
}

async function give(slug) {
  const to = receiver;
  const path = `campaigns/${state.campaign.slug}/trades`;
  const body = { type: "gift", to: to.id, gives: [slug] };
  const { hand } = await api.intend(`gift:${to.id}:${slug}`, (key) => api.post(path, body, { key }));
  $("give").close();
  takeHand(hand);
  toast(say("gift.sent", { name: called(to), card: nameOf(kind(slug).name) }), "gift");
}

/** A friend's card has come, or this player gave one in another window. */
export function traded({ event, data }) {
  const { hand } = state;
  const mine = event === "gift.received";
  if (mine) {
    const cards = data.gives.map((slug) => nameOf(kind(slug).name)).join(say("and"));
    toast(say("gift.received", { name: nameOfFriend(data.sender), card: cards }), "gift");
  }
  // What is shown may be newer than the event: the answer of this window's own gift, or a fresh snapshot.
  if (!hand || data.hand_version <= hand.version) return true;
  const counts = { ...hand.counts };
  for (const slug of data.gives) counts[slug] += mine ? 1 : -1;
  const follows = data.hand_version === hand.version + 1;
  if (follows) takeHand({ ...hand, counts, version: data.hand_version });
  if (mine) data.gives.forEach(celebrate);
  return follows;
}

async function invite() {
  const { code } = await api.post("invitations", {});
  const link = new URL(`/?invitation=${code}`, location.href);
  $("link").value = link.href;
  show($("invitation-link"), true);
  const second = new URL(link);
  second.searchParams.set("as", `guest-${Math.floor(1000 + Math.random() * 9000)}`);
  $("second-player").href = second.href;
  show($("second-player"), options.demo);
  $("link").focus();
  $("link").select();
}

async function spread() {
  const url = $("link").value;
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    await navigator.share({ url, title: say("title") }).catch(() => {});
    return;
  }
  // Not to be had on plain HTTP; the link is selected, so that it can be copied by hand.
  await navigator.clipboard?.writeText(url).then(() => toast(say("copied")), () => {});
  $("link").select();
}

export function start() {
  watch(["friends"], drawList);
  watch(["campaign", "player"], () => show($("friends"), state.player !== null));
  on($("invite"), "click", invite);
  on($("copy-link"), "click", spread);
  on($("give-form"), "submit", async (happened) => {
    if (happened.submitter?.value === "cancel") {
      $("give").close();
      return;
    }
    const chosen = new FormData($("give-form")).get("card");
    if (chosen) await give(chosen);
    else toast(say("give.choose"), "trouble");
  });
}

/** Whoever followed a link and is signed in already decides whether to be friends. */
export async function offerInvitation(code, done) {
  const { inviter } = await api.get(`invitations/${encodeURIComponent(code)}`, { anonymous: true });
  $("invitation-text").textContent = say("invited", { name: inviter.nickname || say("somebody") });
  show($("invitation"), true);
  watch(["player"], () => show($("accept-invitation"), state.player !== null));
  on($("accept-invitation"), "click", async () => {
    await follow(code);
    show($("invitation"), false);
    done();
  });
}

export async function follow(code) {
  try {
    await api.post(`invitations/${encodeURIComponent(code)}/acceptance`);
  } catch (error) {
    complain(error);
  }
  await fetch();
}
