// The services and who calls whom, in columns from callers to called; in rows where there is no room for columns.
const BOX = { width: 188, height: 58 };
const NAME = { letter: 8.1, size: 13.5, least: 10.5 };

function layers(services, edges) {
  const names = services.map((service) => service.name);
  const depth = new Map(names.map((name) => [name, 0]));
  // As many rounds as there are services: a circle of callers then ends too.
  for (let round = 0; round < names.length; round += 1) {
    for (const edge of edges) {
      const deeper = depth.get(edge.from) + 1;
      if (deeper > depth.get(edge.to) && deeper < names.length) depth.set(edge.to, deeper);
    }
  }
  const used = [...new Set(depth.values())].sort((a, b) => a - b);
  return ordered(used.map((level) => names.filter((name) => depth.get(name) === level)), edges);
}

// Each next to those it belongs to: fewer lines cross.
function ordered(columns, edges) {
  const place = new Map();
  const settle = () => columns.forEach((column) => column.forEach((name, index) => place.set(name, index - (column.length - 1) / 2)));
  settle();
  for (let round = 0; round < 4; round += 1) {
    for (const column of round % 2 ? [...columns].reverse() : columns) {
      const wish = new Map(column.map((name) => {
        const around = edges.filter((edge) => edge.from === name || edge.to === name).map((edge) => place.get(edge.from === name ? edge.to : edge.from));
        return [name, around.length ? around.reduce((sum, each) => sum + each, 0) / around.length : place.get(name)];
      }));
      column.sort((a, b) => wish.get(a) - wish.get(b));
      settle();
    }
  }
  return columns;
}

function placed(columns, width) {
  const places = new Map();
  const tallest = Math.max(...columns.map((column) => column.length));
  const across = columns.length * (BOX.width + 70) - 70 <= width || width > 900;
  if (across) {
    const gap = Math.min(150, Math.max(56, (width - columns.length * BOX.width) / Math.max(1, columns.length - 1)));
    const whole = tallest * (BOX.height + 18) - 18;
    columns.forEach((column, x) => {
      const free = whole - (column.length * (BOX.height + 18) - 18);
      column.forEach((name, y) => places.set(name, { x: x * (BOX.width + gap), y: free / 2 + y * (BOX.height + 18) }));
    });
    return { places, across, box: BOX.width, width: columns.length * (BOX.width + gap) - gap, height: whole };
  }
  const abreast = width >= 2 * 140 + 12 ? 2 : 1;
  const box = Math.min(BOX.width, (width - 12 * (abreast - 1)) / abreast);
  let y = 0;
  for (const column of columns) {
    for (let start = 0; start < column.length; start += abreast) {
      const row = column.slice(start, start + abreast);
      const free = width - row.length * (box + 12) + 12;
      row.forEach((name, x) => places.set(name, { x: free / 2 + x * (box + 12), y }));
      y += BOX.height + (start + abreast < column.length ? 12 : 34);
    }
  }
  return { places, across, box, width, height: y - 34 };
}

function drawMap(view, chosen, choose) {
  const host = document.getElementById("map");
  if (!view.services.length) {
    host.replaceChildren(make("p", { class: "none" }, "No service is known yet. They are found through the load balancer."));
    return;
  }
  if (host.clientWidth < 100) return;
  const focused = document.activeElement?.dataset?.name;
  const columns = layers(view.services, view.edges);
  const layout = placed(columns, host.clientWidth - 4);
  const svg = make("svg", { width: layout.width + 4, height: layout.height + 24, viewBox: `-2 -12 ${layout.width + 4} ${layout.height + 24}` });
  for (const edge of view.edges) svg.append(line(edge, layout, layout.box, chosen));
  for (const service of view.services) svg.append(node(service, layout.places.get(service.name), layout.box, chosen, choose));
  host.replaceChildren(svg);
  if (focused) svg.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

function line(edge, layout, width, chosen) {
  const from = layout.places.get(edge.from), to = layout.places.get(edge.to);
  const state = edge.breaker === "open" || edge.health === "unhealthy" ? "bad" : edge.breaker === "half_open" || edge.health === "degraded" ? "warn" : "";
  const dim = chosen && edge.from !== chosen && edge.to !== chosen ? " dim" : "";
  const path = layout.across ? across(from, to, layout) : across(turned(from), turned(to), layout);
  const words = `${edge.from} calls ${edge.to}` + (edge.breaker ? `, breaker ${edge.breaker.replace("_", "-")}` : "");
  return make("path", { class: `edge ${state}${dim}`, d: path }, make("title", {}, words));
}

// The path of a line, as if all went from left to right; where it goes down, x and y are exchanged.
function across(from, to, layout) {
  const [long, wide] = layout.across ? [layout.box, BOX.height] : [BOX.height, layout.box];
  const written = (x, y) => (layout.across ? `${x} ${y}` : `${y} ${x}`);
  let at = [from.x + long, from.y + wide / 2], path = `M${written(...at)}`;
  const curve = (x, y) => {
    const bend = Math.max(16, (x - at[0]) / 2);
    path += `C${written(at[0] + bend, at[1])} ${written(x - bend, y)} ${written(x, y)}`;
    at = [x, y];
  };
  for (const [x, y] of lanes(from, to, layout, wide)) {
    curve(x, y);
    at = [x + long, y];
    path += `L${written(...at)}`;
  }
  curve(to.x, to.y + wide / 2);
  return path;
}

// Where a line passes the boxes between its ends: beside them, as behind them nobody sees where it goes.
function lanes(from, to, layout, wide) {
  const ranks = new Map(), room = 8, most = layout.across ? layout.height + 10 : layout.width;
  for (const each of layout.places.values()) {
    const { x, y } = layout.across ? each : turned(each);
    if (x > from.x && x < to.x) ranks.set(x, [...(ranks.get(x) ?? []), y]);
  }
  return [...ranks].sort((a, b) => a[0] - b[0]).map(([x, boxes]) => {
    const wish = from.y + ((to.y - from.y) * (x - from.x)) / (to.x - from.x) + wide / 2;
    const beside = [wish, ...boxes.flatMap((y) => [y - room, y + wide + room])];
    const free = beside.filter((y) => y > -10 && y < most && boxes.every((box) => y < box - 2 || y > box + wide + 2));
    return [x, free.sort((a, b) => Math.abs(a - wish) - Math.abs(b - wish))[0] ?? wish];
  });
}

function turned({ x, y }) {
  return { x: y, y: x };
}

function node(service, place, width, chosen, choose) {
  const state = HEALTH[service.health] ?? "unknown";
  const sub = service.health === "down" ? "does not answer" : `${written(service.rate, "rate")} · ${service.p95 === null ? "no requests" : written(service.p95, "seconds")}`;
  const label = `${service.name}: ${service.health}, ${service.up} of ${plural(service.instances, "instance")} up, ${written(service.rate, "rate")}, errors ${written(service.errors, "share")}`;
  const own = service.name === chosen;
  const group = make("g", { class: `node ${state}${own ? " chosen" : ""}`, transform: `translate(${place.x} ${place.y})`, tabindex: "0", role: "button", "aria-label": label, "aria-pressed": String(own), "data-name": service.name },
    make("rect", { width, height: BOX.height, rx: 11 }), mark(state),
    named(service.name, width - 36),
    make("text", { class: "sub", x: 32, y: 43 }, sub), make("title", {}, label));
  if (service.instances > 1) group.append(make("text", { class: "sub", x: width - 11, y: 25, "text-anchor": "end" }, `×${service.instances}`));
  group.addEventListener("click", () => choose(own ? "" : service.name));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(own ? "" : service.name);
  });
  return group;
}

// Told apart by form as well as by colour.
function mark(state) {
  if (state === "bad") return make("path", { class: "mark-bad", d: "M13 17l3-3 3.5 3.5L23 14l3 3-3.5 3.5L26 24l-3 3-3.5-3.5L16 27l-3-3 3.5-3.5z", transform: "translate(-1.5 -1)" });
  if (state === "warn") return make("polygon", { class: "mark-warn", points: "18,13 25,26 11,26" });
  return make("circle", { class: `mark-${state}`, cx: 18, cy: 20.5, r: 5.5 });
}

// A long name is written smaller, and one that is too long for that ends in dots.
function named(name, room) {
  const size = Math.max(NAME.least, Math.min(NAME.size, (NAME.size * room) / (NAME.letter * name.length)));
  const most = Math.floor((room * NAME.size) / (NAME.letter * size) + 0.01);
  const text = make("text", { class: "name", x: 32, y: 25 }, shortened(name, most));
  return styled(text, { "font-size": `${size}px` });
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
