"use strict";

// What the map computes, apart from the page so that it can be tested alone. A view is {scale, x, y}:
// a point (px, py) of the data lies at (x + scale * px, y - scale * py) of the screen, y growing downwards.

function wholeView(points, width, height, margin) {
  if (!points.length) return { scale: 1, x: width / 2, y: height / 2 };
  let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
  for (const p of points) {
    left = Math.min(left, p.x); right = Math.max(right, p.x);
    low = Math.min(low, p.y); high = Math.max(high, p.y);
  }
  const across = Math.max(1, width - 2 * margin), up = Math.max(1, height - 2 * margin);
  let scale = Math.min(across / (right - left || 1e-9), up / (high - low || 1e-9));
  if (right === left && high === low) scale = 1;
  return { scale, x: width / 2 - scale * (left + right) / 2, y: height / 2 + scale * (low + high) / 2 };
}

function toScreen(view, p) {
  return { x: view.x + view.scale * p.x, y: view.y - view.scale * p.y };
}

function zoomAt(view, at, factor) {
  return { scale: view.scale * factor, x: at.x + (view.x - at.x) * factor, y: at.y + (view.y - at.y) * factor };
}

function nearest(points, view, at, reach, isShown) {
  let best = -1, least = reach * reach;
  points.forEach((p, i) => {
    if (!isShown(p)) return;
    const s = toScreen(view, p), distance = (s.x - at.x) ** 2 + (s.y - at.y) ** 2;
    if (distance <= least) { least = distance; best = i; }
  });
  return best;
}

function matching(points, query) {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  points.forEach((p, i) => {
    const text = p.t.toLocaleLowerCase();
    if (words.every((word) => text.includes(word))) found.push(i);
  });
  return found;
}

function shortened(text, most) {
  const characters = Array.from(text);
  return characters.length <= most ? text : characters.slice(0, most - 1).join("").trimEnd() + "…";
}

// Which of the boxes {x, y, width, height} can be drawn without touching an obstacle or an earlier one.
function withoutOverlap(boxes, obstacles) {
  const size = 64, taken = new Map(), kept = [];
  const placesOf = (box) => {
    const places = [];
    for (let c = Math.floor(box.x / size); c <= Math.floor((box.x + box.width) / size); c++)
      for (let r = Math.floor(box.y / size); r <= Math.floor((box.y + box.height) / size); r++)
        places.push(c + "," + r);
    return places;
  };
  const take = (box) => {
    for (const place of placesOf(box)) {
      if (taken.has(place)) taken.get(place).push(box);
      else taken.set(place, [box]);
    }
  };
  obstacles.forEach(take);
  boxes.forEach((box, i) => {
    const places = placesOf(box);
    const near = places.flatMap((place) => taken.get(place) || []);
    const touches = near.some((o) => box.x < o.x + o.width && o.x < box.x + box.width &&
      box.y < o.y + o.height && o.y < box.y + box.height);
    if (touches) return;
    kept.push(i);
    take(box);
  });
  return kept;
}

function startMap() {
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  const points = data.points, canvas = get("map"), hint = get("hint"), pen = canvas.getContext("2d");
  const hidden = new Set(), pointers = new Map();
  let view = null, width = 0, height = 0, chosen = -1, found = [], moved = false, asked = false;

  const isShown = (p) => !hidden.has(p.g);
  const colour = (p) => data.colours[p.g % data.colours.length];
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function redraw() {
    if (!asked) { asked = true; requestAnimationFrame(draw); }
  }

  function draw() {
    asked = false;
    const text = variable("--text"), ground = variable("--ground");
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const isFound = new Set(found), searching = get("search").value.trim() !== "";
    const order = points.map((_, i) => i).filter((i) => isShown(points[i]));
    const rank = (i) => (i === chosen ? 8 : 0) + (isFound.has(i) ? 4 : 0) + (points[i].m ? 2 : 0);
    order.sort((a, b) => rank(a) - rank(b) || a - b);
    for (const i of order) {
      const p = points[i], at = toScreen(view, p);
      if (at.x < -20 || at.y < -20 || at.x > width + 20 || at.y > height + 20) continue;
      pen.globalAlpha = searching && !isFound.has(i) && i !== chosen ? 0.18 : 1;
      pen.beginPath();
      pen.arc(at.x, at.y, p.m || i === chosen ? 7 : 5, 0, 2 * Math.PI);
      pen.fillStyle = colour(p);
      pen.fill();
      pen.lineWidth = p.m || isFound.has(i) || i === chosen ? 2.5 : 1;
      pen.strokeStyle = p.m || isFound.has(i) || i === chosen ? text : ground;
      pen.stroke();
    }
    pen.font = "12px system-ui,sans-serif";
    pen.textBaseline = "middle";
    const named = order.reverse().filter((i) => !searching || isFound.has(i) || i === chosen);
    const boxes = [], owners = [], dots = [];
    for (const i of named) {
      const at = toScreen(view, points[i]), words = shortened(points[i].t, 32);
      if (at.x < 0 || at.y < 0 || at.x > width || at.y > height) continue;
      dots.push({ x: at.x - 5, y: at.y - 5, width: 10, height: 10 });
      if (boxes.length > 2000) continue;
      const wide = pen.measureText(words).width + 4;
      const x = at.x + 10 + wide > width ? at.x - 10 - wide : at.x + 10;
      boxes.push({ x, y: at.y - 8, width: wide, height: 16 });
      owners.push({ i, words });
    }
    for (const k of withoutOverlap(boxes, dots)) {
      pen.globalAlpha = 0.75;
      pen.fillStyle = ground;
      pen.fillRect(boxes[k].x, boxes[k].y, boxes[k].width, boxes[k].height);
      pen.globalAlpha = 1;
      pen.fillStyle = text;
      pen.fillText(owners[k].words, boxes[k].x + 2, boxes[k].y + 8);
    }
    pen.globalAlpha = 1;
    placeHint();
  }

  function placeHint() {
    if (chosen < 0) return;
    const at = toScreen(view, points[chosen]);
    hint.style.left = Math.max(4, Math.min(at.x + 14, width - hint.offsetWidth - 4)) + "px";
    hint.style.top = Math.max(4, Math.min(at.y + 14, height - hint.offsetHeight - 4)) + "px";
  }

  function choose(i) {
    if (i === chosen) return;
    chosen = i;
    const group = i >= 0 && data.groups.length ? " — " + data.groups[points[i].g] : "";
    hint.textContent = i < 0 ? "" : points[i].t + group;
    redraw();
  }

  function show(i) {
    if (i < 0) return;
    const at = toScreen(view, points[i]);
    if (at.x < 40 || at.y < 40 || at.x > width - 40 || at.y > height - 40) {
      view = { ...view, x: view.x + width / 2 - at.x, y: view.y + height / 2 - at.y };
    }
    choose(i);
    redraw();
  }

  function step(by) {
    const some = found.length ? found.filter((i) => isShown(points[i])) : points.map((_, i) => i).filter((i) => isShown(points[i]));
    if (!some.length) return;
    const at = some.indexOf(chosen);
    show(some[at < 0 ? (by > 0 ? 0 : some.length - 1) : (at + by + some.length) % some.length]);
  }

  function whole() {
    view = wholeView(points, width, height, 48);
    redraw();
  }

  function resize() {
    const box = canvas.getBoundingClientRect();
    const middle = view && { dx: box.width / 2 - width / 2, dy: box.height / 2 - height / 2 };
    width = box.width; height = box.height;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    if (middle) view = { ...view, x: view.x + middle.dx, y: view.y + middle.dy };
    else whole();
    redraw();
  }

  const placeOf = (event) => ({ x: event.offsetX, y: event.offsetY });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, placeOf(event));
    moved = false;
    canvas.classList.add("moving");
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = placeOf(event), before = pointers.get(event.pointerId);
    if (!before) { choose(nearest(points, view, now, 14, isShown)); return; }
    moved = moved || Math.hypot(now.x - before.x, now.y - before.y) > 2;
    const other = [...pointers].find(([id]) => id !== event.pointerId);
    if (other) {
      const o = other[1], apart = Math.hypot(before.x - o.x, before.y - o.y) || 1;
      view = zoomAt(view, o, Math.hypot(now.x - o.x, now.y - o.y) / apart || 1);
    } else {
      view = { ...view, x: view.x + now.x - before.x, y: view.y + now.y - before.y };
    }
    pointers.set(event.pointerId, now);
    redraw();
  });
  const release = (event) => {
    if (pointers.delete(event.pointerId) && !moved && event.type === "pointerup") choose(nearest(points, view, placeOf(event), 20, isShown));
    if (!pointers.size) canvas.classList.remove("moving");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    view = zoomAt(view, placeOf(event), Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
    redraw();
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => { view = zoomAt(view, placeOf(event), 2); redraw(); });

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const middle = { x: width / 2, y: height / 2 }, far = 60;
    const moves = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    if (moves[event.key]) view = { ...view, x: view.x + moves[event.key][0], y: view.y + moves[event.key][1] };
    else if (event.key === "+" || event.key === "=") view = zoomAt(view, middle, 1.3);
    else if (event.key === "-") view = zoomAt(view, middle, 1 / 1.3);
    else if (event.key === "0" || event.key === "Home") whole();
    else if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (event.key === "/") get("search").focus();
    else if (event.key === "Escape") choose(-1);
    else return;
    event.preventDefault();
    redraw();
  });

  get("search").addEventListener("input", (event) => {
    found = matching(points, event.target.value);
    get("found").textContent = event.target.value.trim() ? found.length + " of " + points.length : "";
    redraw();
  });
  get("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") { event.target.value = ""; event.target.dispatchEvent(new Event("input")); canvas.focus(); }
  });
  get("whole").addEventListener("click", whole);

  data.groups.forEach((name, g) => {
    const button = document.createElement("button"), dot = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    dot.className = "dot";
    dot.style.background = data.colours[g % data.colours.length];
    button.append(dot, name);
    button.addEventListener("click", () => {
      const off = !hidden.delete(g);
      if (off) hidden.add(g);
      button.setAttribute("aria-pressed", String(!off));
      redraw();
    });
    const item = document.createElement("li");
    item.append(button);
    get("legend").append(item);
  });

  new ResizeObserver(resize).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  resize();
}

if (typeof document !== "undefined") startMap();
