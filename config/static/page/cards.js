// Cards: drawn by CSS, with the glyph and the colour that the campaign gave each kind.

import { copy, part, $, isCalm, toast } from "./dom.js";
import { kind, state, watch } from "./state.js";
import { language, nameOf, number, say } from "./words.js";

export function card(slug) {
  const known = kind(slug);
  const element = copy("a-card", { glyph: known.glyph, name: nameOf(known.name) });
  element.style.setProperty("--kind", known.colour);
  part(element, "glyph").lang = "zh-Hans";
  return element;
}

function odds(slug) {
  const weights = state.rules?.weights ?? {};
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  const share = sum ? (weights[slug] ?? 0) / sum : 0;
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** How many of a kind the player has and can give away. */
export const held = (slug) => state.hand?.counts[slug] ?? 0;

const owned = (slug) => held(slug) + (state.hand?.escrow[slug] ?? 0);

export function drawHand() {
  watch(["kinds", "rules", "hand"], () => {
    if (!state.hand || !state.rules) return;
    const list = $("cards");
    list.replaceChildren(
      ...state.kinds.map(({ slug, name }) => {
        const item = document.createElement("li");
        const count = owned(slug);
        const drawn = card(slug);
        drawn.classList.toggle("missing", count === 0);
        part(drawn, "count").textContent = count > 1 ? `×${number(count)}` : "";
        item.append(drawn);
        const note = document.createElement("p");
        note.className = "odds";
        note.textContent = say("odds", { percent: odds(slug) });
        item.append(note);
        item.dataset.kind = slug;
        item.dataset.count = count;
        drawn.setAttribute("aria-label", say("held", { name: nameOf(name), count: number(count) }));
        return item;
      }),
    );
    const wanted = state.rules.complete_set;
    const have = wanted.filter((slug) => owned(slug) > 0).length;
    $("progress-text").textContent = state.complete
      ? say("complete")
      : say("progress", { have: number(have), all: number(wanted.length) });
    $("progress").max = wanted.length;
    $("progress").value = have;
    $("hand").classList.toggle("is-complete", state.complete);
  });
}

/** A card comes: turned over in a dialog where the player asked for it, or shaken in the hand when a friend sent it. */
export function reveal(slug, text) {
  const dialog = $("reveal");
  part(dialog, "text").textContent = text;
  part(dialog, "card").replaceChildren(card(slug));
  if (!dialog.open) dialog.showModal();
}

/** A card came by itself: for an invitation, or from support. */
export function came({ event, data }) {
  const name = nameOf(kind(data.kind).name);
  toast(say(event === "invitation.credited" ? "credited" : "granted", { name }), "gift");
}

export function celebrate(slug) {
  const item = $("cards").querySelector(`[data-kind="${CSS.escape(slug)}"]`);
  if (!item || isCalm()) return;
  item.classList.remove("arrived");
  // A second card of the kind shall move again: reading the width makes the browser notice that the class was away.
  void item.offsetWidth;
  item.classList.add("arrived");
}
