// What the script of a job's page adds, which is whole without it: the timeline zooms and is walked with the
// arrow keys, and places in the raw answer open without the page being loaded anew.
"use strict";

(() => {
  const track = document.querySelector(".track");
  if (track) walk(track);
  // The page whose raw answer is shown: its query, as a fragment alone leads to a place on the page itself.
  let shown = location.search;
  let asked = 0;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-raw]");
    const plain = event.button === 0 && !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
    if (!link || !plain || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    open(link.href).then((pane) => {
      if (!pane) return;
      history.pushState(null, "", link.href);
      point(pane);
    });
  });
  addEventListener("popstate", () => {
    if (location.search !== shown) open(location.href);
  });

  function walk(track) {
    const drawing = track.querySelector("svg");
    const lanes = [...drawing.querySelectorAll(".lane")].map((lane) => [...lane.querySelectorAll(".mark")]);
    const marks = lanes.flat();
    const controls = document.querySelector("[data-zoom]");
    let zoom = 1;
    // One stop of the Tab key for the whole timeline; the arrows go on from there.
    marks.forEach((mark, number) => mark.setAttribute("tabindex", number ? "-1" : "0"));
    track.removeAttribute("tabindex");
    controls.hidden = false;
    controls.addEventListener("click", (event) => {
      const by = event.target.dataset.by;
      if (by !== undefined) scale(Number(by));
    });
    track.addEventListener("scroll", tell);
    track.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const lane = lanes.findIndex((one) => one.includes(event.target));
      if (lane < 0) return;
      const next = target(event.key, lane, lanes[lane].indexOf(event.target));
      if (next === undefined) return;
      event.preventDefault();
      if (next) focus(next);
    });

    function target(key, lane, number) {
      const row = lanes[lane];
      switch (key) {
        case "ArrowRight": return row[number + 1] || null;
        case "ArrowLeft": return row[number - 1] || null;
        case "Home": return row[0];
        case "End": return row[row.length - 1];
        case "ArrowDown": return nearest(lane, 1, row[number]);
        case "ArrowUp": return nearest(lane, -1, row[number]);
        case "+": case "=": scale(2); return null;
        case "-": scale(0.5); return null;
        case "0": scale(0); return null;
      }
      return undefined;
    }

    function nearest(lane, step, from) {
      const at = left(from);
      for (let one = lane + step; one >= 0 && one < lanes.length; one += step) {
        if (lanes[one].length) {
          return lanes[one].reduce((best, mark) => (Math.abs(left(mark) - at) < Math.abs(left(best) - at) ? mark : best));
        }
      }
      return null;
    }

    function left(mark) {
      return mark.getBoundingClientRect().left;
    }

    function focus(mark) {
      marks.forEach((one) => one.setAttribute("tabindex", "-1"));
      mark.setAttribute("tabindex", "0");
      mark.focus({ preventScroll: true });
      reveal(mark);
    }

    function reveal(mark) {
      const frame = track.getBoundingClientRect();
      const at = left(mark) - frame.left;
      if (at < 0 || at > frame.width - 12) track.scrollLeft += at - frame.width / 2;
    }

    function scale(by) {
      const middle = (track.scrollLeft + track.clientWidth / 2) / track.scrollWidth;
      zoom = by ? Math.min(64, Math.max(1, zoom * by)) : 1;
      drawing.setAttribute("width", `${zoom * 100}%`);
      track.scrollLeft = middle * track.scrollWidth - track.clientWidth / 2;
      const held = document.activeElement;
      if (held && marks.includes(held)) reveal(held);
      tell();
    }

    // Say what part is in sight, in which there may be no tick.
    function tell() {
      const end = Number(drawing.dataset.end);
      const [from, to] = [track.scrollLeft, track.scrollLeft + track.clientWidth].map((x) => (end * x) / track.scrollWidth);
      controls.querySelector("[data-range]").textContent = zoom > 1 ? `${position(from)}–${position(to)}` : "";
    }
  }

  function position(ms) {
    const [hours, minutes, seconds] = [ms / 3600000, (ms / 60000) % 60, (ms / 1000) % 60].map(Math.floor);
    const thousandths = String(Math.floor(ms % 1000)).padStart(3, "0");
    const two = (number) => String(number).padStart(2, "0");
    return `${hours ? `${hours}:` : ""}${two(minutes)}:${two(seconds)}.${thousandths}`;
  }

  // Put another page's raw answer in place of this one's; what cannot be had so is gone to.
  async function open(address) {
    const number = ++asked;
    document.getElementById("raw").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (number !== asked) return null; // somebody has chosen another place since
      const pane = document.adoptNode(page.getElementById("raw"));
      document.getElementById("raw").replaceWith(pane);
      shown = new URL(address).search;
      return pane;
    } catch {
      if (number !== asked) return null;
      if (address === location.href) location.reload();
      else location.assign(address);
      return null;
    }
  }

  // Lead eyes and focus to the place that was chosen; a pane that scrolls by itself leaves the page where it is.
  function point(pane) {
    const here = pane.querySelector("#here");
    if (here && getComputedStyle(pane).position === "sticky") {
      pane.scrollTop += here.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 3;
    } else {
      (here || pane).scrollIntoView({ block: here ? "center" : "start" });
    }
    pane.focus({ preventScroll: true });
  }
})();
