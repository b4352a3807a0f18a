"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const dialog = byId("photos"), list = byId("photos-list");
  const percent = (part, whole) => (100 * part / whole).toFixed(1) + "\u00a0%";
  const photos = n => n === 1 ? "1 photo" : n + " photos";

  // Pictures stand in the data, or in a gallery.
  const source = (photo, id, key) => {
    if (photo[key]) return photo[key];
    const shown = document.querySelector(`img[data-${key === "overlay" ? "overlay" : "photo"}="${id}"]`);
    return shown ? shown.src : "";
  };

  const figure = id => {
    const photo = data.photos[id];
    const made = byId("figure").content.firstElementChild.cloneNode(true);
    const frame = made.querySelector(".frame");
    const put = (src, alt, style) => {
      const img = document.createElement("img");
      img.alt = alt;
      img.className = style;
      img.src = src;
      frame.append(img);
    };
    const picture = source(photo, id, "picture"), overlay = source(photo, id, "overlay");
    if (picture) {
      put(picture, photo.alt, "");
    } else {
      const none = document.createElement("p");
      none.className = "dark";
      none.textContent = "no picture";
      frame.append(none);
    }
    if (overlay) put(overlay, "", "overlay");
    made.querySelector("b bdi").textContent = data.classes[photo.label];
    const verdict = made.querySelector(".verdict");
    verdict.className = photo.wrong ? "taken" : "muted";
    verdict.firstChild.textContent = photo.verdict;
    for (const guess of photo.guesses || []) {
      const line = document.createElement("span"), name = document.createElement("bdi"), p = document.createElement("span");
      name.textContent = guess.name;
      p.textContent = guess.p;
      line.append(name, " ", p);
      made.querySelector(".guesses").append(line);
    }
    const [folder, file] = made.querySelectorAll(".path bdi");
    folder.textContent = photo.folder;
    file.textContent = photo.file;
    return made;
  };

  // Show the judged photos of a kind, of which there are so many.
  const show = (title, total, wanted) => {
    const ids = [...data.photos.keys()].filter(id => data.photos[id].judged && wanted(data.photos[id]));
    byId("photos-title").textContent = title;
    byId("photos-note").textContent = ids.length < total ? `${ids.length} of ${photos(total)}; the page has no room for the others.` : photos(total);
    list.replaceChildren(...ids.map(figure));
    dialog.showModal();
    dialog.scrollTop = 0;
  };

  document.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.list === "wrong") {
      const wrong = data.counts.reduce((sum, [t, a, n]) => t === a ? sum : sum + n, 0);
      show("All mistakes, the surest first", wrong, photo => photo.answer !== photo.label);
    } else if (button.dataset.true !== undefined) {
      const t = Number(button.dataset.true), a = Number(button.dataset.answer);
      const cell = data.counts.find(([x, y]) => x === t && y === a);
      const title = t === a ? `${data.classes[t]}, recognised` : `${data.classes[t]} taken for ${data.classes[a]}`;
      show(title, cell ? cell[2] : 0, photo => photo.label === t && photo.answer === a);
    }
  });
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });

  // The matrix is one stop of the tab key; arrow keys move to the next number in their direction.
  const matrix = byId("matrix");
  if (matrix) {
    const buttons = [...matrix.querySelectorAll("button")];
    const place = button => [button.closest("tr").rowIndex, button.closest("td").cellIndex];
    const choose = button => {
      for (const b of buttons) b.tabIndex = b === button ? 0 : -1;
    };
    if (buttons.length) choose(buttons[0]);
    matrix.addEventListener("focusin", event => { if (event.target.matches("button")) choose(event.target); });
    matrix.addEventListener("keydown", event => {
      const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
      const from = event.target.closest("button");
      if (!from) return;
      let to;
      if (event.key === "Home") to = buttons[0];
      else if (event.key === "End") to = buttons[buttons.length - 1];
      else if (ways[event.key]) {
        const [dy, dx] = ways[event.key];
        let [y, x] = place(from);
        while (!to) {
          y += dy;
          x += dx;
          const td = matrix.rows[y] && matrix.rows[y].cells[x];
          if (!td) break;
          to = td.querySelector("button");
        }
        event.preventDefault();
      }
      if (to) {
        event.preventDefault();
        to.focus();
      }
    });
  }

  const slider = byId("threshold");
  if (slider) {
    const tell = () => {
      const step = Number(slider.value), [answered, right] = data.outcomes[step];
      byId("at").textContent = (step / 1000).toFixed(3);
      byId("coverage").textContent = percent(answered, data.judged);
      byId("covered").textContent = `${answered} of ${photos(data.judged)} have an answer`;
      byId("precision").textContent = answered ? percent(right, answered) : "\u2013";
      byId("precise").textContent = `${right} of these are right`;
      slider.setAttribute("aria-valuetext", `${(step / 1000).toFixed(3)}: coverage ${byId("coverage").textContent}, precision ${byId("precision").textContent}`);
      const x = 44 + 352 * step / 1000, mark = byId("mark");
      mark.setAttribute("x1", x);
      mark.setAttribute("x2", x);
    };
    slider.addEventListener("input", tell);
    tell();
  }

  const overlays = byId("overlays");
  if (overlays) overlays.addEventListener("change", () => document.body.classList.toggle("overlays", overlays.checked));

  const theme = byId("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "light" : "dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  dark.addEventListener("change", name);
  name();
})();
