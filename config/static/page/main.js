// The page: what is fetched when, and what the socket brings.

import * as api from "./api.js";
import * as cards from "./cards.js";
import * as collecting from "./collecting.js";
import * as comments from "./comments.js";
import * as countdown from "./countdown.js";
import * as friends from "./friends.js";
import * as packet from "./packet.js";
import * as session from "./session.js";
import * as signing from "./signing.js";
import * as votes from "./votes.js";
import { $, complain, on, show, toast } from "./dom.js";
import { Line } from "./socket.js";
import { state, takeHand, update } from "./state.js";
import { say } from "./words.js";

const address = new URL(location.href);
let line = null;

async function fetchCampaign() {
  const slug = state.campaign?.slug ?? address.searchParams.get("campaign");
  if (slug) {
    update({ campaign: await api.get(`campaigns/${encodeURIComponent(slug)}`, { anonymous: true }) });
    return;
  }
  const { items } = await api.get("campaigns", { anonymous: true });
  update({ campaign: items.find(({ phase }) => phase === "live") ?? items[0] ?? null });
}

/** Without an answer there is nothing to show but that; so it is asked until there is one. */
async function fetchFirst() {
  for (;;) {
    try {
      await fetchCampaign();
      return;
    } catch (error) {
      if (!error.offline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 2000));
    }
  }
}

async function fetchSeason() {
  const path = `campaigns/${state.campaign.slug}`;
  const [kinds, rules] = await Promise.all([
    api.get(`${path}/kinds`, { anonymous: true }),
    api.get(`${path}/rules`, { anonymous: true }),
  ]);
  update({ kinds: kinds.items, rules: rules.rules });
}

async function fetchHand() {
  const snapshot = await api.get(`campaigns/${state.campaign.slug}/hand`);
  takeHand(snapshot.hand, { quotas: snapshot.quotas });
}

async function fetchShare() {
  update({ share: await api.get(`campaigns/${state.campaign.slug}/share`) });
}

async function fetchVote() {
  const shown = state.proposal?.id;
  await votes.fetch();
  if (state.proposal?.id !== shown) update({ comments: [], older: null });
  await comments.fetch();
}

async function fetchNews() {
  await Promise.all([fetchVote(), votes.fetchAnnouncements()]);
}

/** Everything that is shown. What fails is said, and the rest is shown all the same. */
async function fetchAll() {
  const parts = [fetchCampaign().then(packet.fetch), fetchHand(), friends.fetch(), fetchShare(), fetchNews()];
  const done = await Promise.allSettled(parts);
  const failed = done.find(({ status }) => status === "rejected");
  if (failed) complain(failed.reason);
}

/** A phase has ended, by the clock or by an announcement. */
async function turn() {
  if (state.player) await fetchAll();
  else await Promise.all([fetchCampaign(), fetchNews()]);
}

function heard(frame) {
  switch (frame.event) {
    case "gift.received":
    case "gift.sent":
      if (!friends.traded(frame)) quietly(fetchHand());
      break;
    case "invitation.credited":
    case "draw.granted":
      cards.came(frame);
      quietly(fetchHand());
      break;
    case "friendship.accepted":
      quietly(greet(frame.data));
      break;
    case "friendship.asked":
    case "friendship.ended":
      quietly(friends.fetch());
      break;
    case "share.changed":
      update({ share: frame.data });
      break;
    case "tally.changed":
      votes.counted(frame.data);
      break;
    case "announcement.withdrawn":
      quietly(votes.fetchAnnouncements());
      break;
    case "announcement.published":
      quietly(votes.fetchAnnouncements());
      toast(say("announced"));
      break;
    case "comment.answered":
    case "comment.moderated":
      quietly(comments.heard(frame.data));
      break;
    case "rulebook.changed":
      quietly(Promise.all([fetchSeason(), turn()]));
      toast(say("rules-changed"));
      break;
    case "card.converted":
      votes.converted(frame);
      quietly(fetchHand());
      break;
    default:
      if (frame.event.startsWith("proposal.")) quietly(fetchVote());
      // Whatever else changes a hand says so by its version; the campaign's own events move its phase.
      if (frame.event.startsWith("campaign.")) quietly(turn());
      else if ("hand_version" in frame.data) quietly(fetchHand());
  }
}

async function greet({ by, to }) {
  await friends.fetch();
  const other = by === state.player.id ? to : by;
  toast(say("friend.new", { name: friends.nameOfFriend(other) }));
}

/** What the socket set going and nobody waits for. */
function quietly(work) {
  work.catch((error) => {
    if (!error.offline && error.status !== 401) complain(error);
  });
}

async function enter(player) {
  update({ player });
  show($("sign-in"), false);
  show($("sign-out"), true);
  show($("hand"), true);
  $("me").textContent = friends.called(player);
  const invited = address.searchParams.get("invitation");
  if (invited && !$("invitation").hidden) {
    // Signing up by the link made friends already, unless this player has been here before.
    show($("invitation"), false);
    await friends.follow(invited);
    clearAddress();
  }
  line = new Line(state.campaign.slug, {
    push: heard,
    fresh: () => quietly(fetchAll()),
    state: (now) => {
      document.body.dataset.line = now;
      if (now === "open") votes.connected(line);
      show($("lost"), now === "lost" && document.body.dataset.reach !== "none");
      show($("shut"), now === "shut");
    },
  });
  await fetchAll();
  line.open();
  const code = address.searchParams.get("code");
  if (code) collecting.offer(code);
}

function clearAddress() {
  address.searchParams.delete("invitation");
  history.replaceState(null, "", address);
}

function leave() {
  line?.close();
  update({ player: null, packet: null, friends: [], ballot: null });
  // Whoever looks now is nobody's author.
  quietly(comments.fetch());
  for (const id of ["hand", "sign-out", "collect"]) show($(id), false);
  show($("sign-in"), true);
  $("me").textContent = "";
}

function watchReach() {
  api.onReach((whether) => {
    document.body.dataset.reach = whether ? "some" : "none";
    // An answer may still come in that was under way when the network went.
    show($("offline"), !whether || !navigator.onLine);
  });
  addEventListener("offline", () => show($("offline"), true));
  addEventListener("online", () => {
    show($("offline"), false);
    quietly(turn());
  });
  document.addEventListener("visibilitychange", () => {
    // A device that slept has missed time.
    if (!document.hidden && state.campaign) quietly(fetchCampaign());
  });
}

function watchSession() {
  api.onSignedOut((error) => {
    leave();
    complain(error);
  });
  session.onChange(() => {
    // Signed in or out in another tab; a refresh alone changes nothing here.
    if (session.current()?.player.id !== state.player?.id) location.reload();
  });
}

function speak(language) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `django_language=${language}; path=/; max-age=31536000; SameSite=Lax${secure}`;
  location.reload();
}

async function start() {
  for (const button of document.querySelectorAll("[data-language]")) {
    on(button, "click", () => speak(button.dataset.language));
  }
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    on(button, "click", () => button.closest("dialog").close());
  }
  watchReach();
  watchSession();
  await fetchFirst();
  show($("no-season"), state.campaign === null);
  if (!state.campaign) return;
  cards.drawHand();
  countdown.drawHead();
  countdown.start(() => quietly(turn()));
  collecting.start();
  friends.start();
  packet.start();
  votes.start();
  comments.start();
  signing.start(enter);
  await fetchSeason();
  const invited = address.searchParams.get("invitation");
  if (invited) {
    signing.bring(invited);
    await friends.offerInvitation(invited, clearAddress).catch(complain);
  }
  const signedIn = session.current();
  if (signedIn) {
    await returnTo(signedIn.player);
    return;
  }
  show($("sign-in"), true);
  await fetchNews();
}

/** Already signed in: following a link is then a decision of its own. */
async function returnTo(player) {
  const banner = !$("invitation").hidden;
  show($("invitation"), false);
  await enter(player);
  show($("invitation"), banner && state.player !== null);
}

start()
  .catch(complain)
  .finally(() => {
    document.body.dataset.ready = "yes";
  });
