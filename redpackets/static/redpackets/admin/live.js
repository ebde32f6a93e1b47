/* A campaign's page on the night, and that of a vote: it asks for the figures every few seconds, puts the sections in place as the server has
   written them, draws the charts and counts down. Instants are the database's: each answer brings its clock, and between
   answers the browser's monotonic clock carries it on, so a laptop's wrong clock changes nothing. */
(function () {
    "use strict";

    const EVERY_MS = 3000;
    const LONGEST_MS = 60000;
    const PATIENCE_MS = 10000;
    const SVG = "http://www.w3.org/2000/svg";

    const page = document.querySelector("[data-live]");
    if (!page) {
        return;
    }
    const notice = page.querySelector("[data-notice]");
    const numbers = new Intl.NumberFormat(page.dataset.language);
    const time = new Intl.DateTimeFormat(page.dataset.language, {
        hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: page.dataset.zone,
    });

    let anchor = null; // {server, mono}: the database's clock at a moment of the monotonic one, in ms
    let failures = 0;
    let waiting = null;
    let asking = null;
    let asked = 0;
    let signedOut = false;
    let passed = null; // the instant whose coming has been asked about

    function set(server, mono) {
        anchor = { server: Date.parse(server), mono };
    }

    function now() {
        return anchor.server + performance.now() - anchor.mono;
    }

    // Asking

    function later(ms) {
        clearTimeout(waiting);
        waiting = document.hidden ? null : setTimeout(ask, ms);
    }

    async function ask() {
        if (asking || signedOut || document.hidden) {
            return;
        }
        asking = new AbortController();
        const cut = setTimeout(() => asking.abort(), PATIENCE_MS);
        const began = performance.now();
        const mine = ++asked;
        try {
            const response = await fetch(page.dataset.figures, {
                headers: { Accept: "application/json" }, cache: "no-store", redirect: "manual", signal: asking.signal,
            });
            if (response.type === "opaqueredirect") {
                // To the sign-in: the session has ended, and asking on would not bring it back.
                signedOut = true;
                tell(page.dataset.signedOut);
                return;
            }
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            const figures = await response.json();
            if (mine === asked) {
                // The answer was made between asking and hearing it: the middle is the best guess.
                set(figures.server_time, (began + performance.now()) / 2);
                failures = 0;
                show(figures);
            }
        } catch (error) {
            if (!document.hidden) {
                failures += 1;
                tell(page.dataset.silence.replace("%(since)s", time.format(new Date(anchor.server))));
            }
        } finally {
            clearTimeout(cut);
            asking = null;
            later(Math.min(LONGEST_MS, EVERY_MS * 2 ** Math.min(failures, 6)));
        }
    }

    function tell(words) {
        page.classList.add("ff-stale");
        notice.textContent = words;
        notice.hidden = false;
    }

    // Showing

    function show(figures) {
        page.classList.remove("ff-stale");
        notice.hidden = true;
        for (const [name, html] of Object.entries(figures.parts)) {
            const part = page.querySelector(`[data-part="${name}"]`);
            if (part && part.dataset.shown !== html) {
                replace(part, html);
            }
        }
        draw("minutes", (box) => drawMinutes(box, figures.charts));
        draw("kinds", (box) => drawBars(box, figures.charts.kinds));
        draw("options", (box) => drawBars(box, figures.charts.options));
        count();
    }

    function replace(part, html) {
        const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
        const focused = part.contains(document.activeElement) ? address(document.activeElement) : null;
        const scrolled = [...part.querySelectorAll(".ff-scroll")].map((box) => box.scrollTop);
        part.dataset.shown = html;
        part.innerHTML = html;
        paint(part);
        part.querySelectorAll("details").forEach((details) => { details.open = open.includes(details.id); });
        part.querySelectorAll(".ff-scroll").forEach((box, i) => { box.scrollTop = scrolled[i] || 0; });
        if (focused) {
            [...part.querySelectorAll("a, button, summary")].find((found) => address(found) === focused)?.focus();
        }
    }

    /* What a link or a button leads to: by that it is found again after its section was written anew. */
    function address(found) {
        return found.getAttribute("formaction") || found.getAttribute("href") || found.parentElement?.id;
    }

    function paint(part) {
        part.querySelectorAll("[data-colour]").forEach((swatch) => { swatch.style.background = swatch.dataset.colour; });
        part.querySelectorAll("[data-width]").forEach((bar) => { bar.style.width = `${bar.dataset.width}%`; });
    }

    function count() {
        page.querySelectorAll("[data-at]").forEach((clock) => {
            const at = Date.parse(clock.dataset.at);
            const left = Math.ceil((at - now()) / 1000);
            clock.textContent = left > 0 ? inWords(left) : page.dataset.over;
            if (left <= 0 && passed !== clock.dataset.at) {
                passed = clock.dataset.at;
                later(500);
            }
        });
    }

    function inWords(seconds) {
        const two = (number) => String(number).padStart(2, "0");
        const days = Math.floor(seconds / 86400);
        const hours = Math.floor(seconds / 3600) % 24;
        const clock = `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
        return days ? `${page.dataset.days.replace("%(days)s", days)} ${clock}` : clock;
    }

    // Charts

    function element(name, attributes, text) {
        const made = document.createElementNS(SVG, name);
        for (const [key, value] of Object.entries(attributes)) {
            made.setAttribute(key, value);
        }
        if (text !== undefined) {
            made.textContent = text;
        }
        return made;
    }

    function canvas(box, width, height) {
        const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": box.dataset.label });
        box.replaceChildren(svg);
        return svg;
    }

    /* The smallest of 1, 2, 5 × 10ⁿ, in four steps, that is no less than the highest column. */
    function ceiling(highest) {
        const wanted = Math.max(highest, 4) / 4;
        const power = 10 ** Math.floor(Math.log10(wanted));
        return 4 * [1, 2, 5, 10].map((step) => step * power).find((step) => step >= wanted);
    }

    function draw(name, how) {
        const box = page.querySelector(`[data-chart="${name}"]`);
        if (box) {
            how(box);
        }
    }

    function drawMinutes(box, charts) {
        const width = Math.max(320, Math.round(box.clientWidth)), height = 300, left = 46, bottom = 22, top = 8;
        const svg = canvas(box, width, height);
        const sums = charts.minutes.map((_, i) => charts.kinds.reduce((sum, kind) => sum + kind.counts[i], 0));
        const most = ceiling(Math.max(...sums));
        const y = (value) => top + (height - top - bottom) * (1 - value / most);
        for (let step = 0; step <= 4; step += 1) {
            const value = (most / 4) * step;
            svg.append(element("line", { x1: left, x2: width, y1: y(value), y2: y(value) }));
            svg.append(element("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, numbers.format(value)));
        }
        const pitch = (width - left) / charts.minutes.length;
        const often = width < 520 ? 20 : 10;
        charts.minutes.forEach((minute, i) => {
            const column = element("g", { class: "ff-ink" });
            const words = [`${minute}: ${numbers.format(sums[i])}`];
            let below = 0;
            charts.kinds.forEach((kind) => {
                if (kind.counts[i]) {
                    words.push(`${kind.label} ${numbers.format(kind.counts[i])}`);
                    column.append(element("rect", {
                        x: left + i * pitch + pitch * 0.1, width: pitch * 0.8, fill: kind.colour,
                        y: y(below + kind.counts[i]), height: y(below) - y(below + kind.counts[i]),
                    }));
                    below += kind.counts[i];
                }
            });
            column.append(element("title", {}, words.join("\n")));
            svg.append(column);
            if ((charts.minutes.length - 1 - i) % often === 0) {
                const last = i === charts.minutes.length - 1;
                const place = last ? { x: width, "text-anchor": "end" }
                    : { x: left + (i + 0.5) * pitch, "text-anchor": "middle" };
                svg.append(element("text", { ...place, y: height - 5 }, minute));
            }
        });
    }

    function drawBars(box, bars) {
        const width = Math.max(280, Math.round(box.clientWidth)), row = 30, named = Math.min(150, width * 0.36), figure = 90;
        const svg = canvas(box, width, row * bars.length + 4);
        const most = Math.max(1, ...bars.map((bar) => bar.total));
        bars.forEach((bar, i) => {
            const y = i * row + 4, room = width - named - figure;
            svg.append(element("text", { x: 0, y: y + 15 }, bar.label));
            svg.append(element("rect", { class: "ff-track", x: named, y: y + 2, width: room, height: 18, rx: 4 }));
            svg.append(element("rect", {
                class: "ff-ink", x: named, y: y + 2, width: (room * bar.total) / most, height: 18, rx: 4, fill: bar.colour,
            }));
            svg.append(element(
                "text", { class: "ff-figure", x: width, y: y + 15, "text-anchor": "end" }, numbers.format(bar.total),
            ));
        });
    }

    document.addEventListener("visibilitychange", () => {
        if (document.hidden) {
            clearTimeout(waiting);
        } else {
            ask();
        }
    });
    set(page.dataset.now, performance.now());
    paint(page);
    setInterval(count, 250);
    count();
    ask();
})();
