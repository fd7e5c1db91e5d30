// A chart of lines. The arrow keys and the pointer move through it; what is there is said, and shown in a box.
const WIDTH = 640, HEIGHT = 210, LEFT = 52, RIGHT = 8, TOP = 10, BOTTOM = 24;

class Chart {
  constructor(id, title, unit, empty) {
    this.unit = unit;
    this.empty = empty;
    this.svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.tip = make("div", { class: "tip", hidden: "" });
    this.plot = make("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `${title}, moment`, "aria-valuemin": "0" }, this.svg, this.tip);
    this.legend = make("ul", { class: "legend" });
    this.sum = make("p", { class: "key" });
    const head = make("div", { class: "title" }, make("h2", { id: `${id}-title` }, title), this.sum);
    document.getElementById(id).append(head, this.plot, this.legend);
    this.at = null;
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.look(null));
    this.plot.addEventListener("blur", () => this.look(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.times && this.draw()).observe(this.plot);
  }

  show(times, lines) {
    this.times = times;
    this.lines = lines;
    this.draw();
  }

  draw() {
    // The drawing is as wide as it is shown, so that nothing is stretched.
    this.width = Math.max(240, this.plot.clientWidth || WIDTH);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    const values = this.lines.flatMap((line) => line.values).filter((value) => value !== null);
    this.top = nice(Math.max(...values, this.unit === "share" ? 0.01 : 0.001));
    this.svg.replaceChildren(...this.grid(values.length ? [0, 0.5, 1] : [0]));
    this.lines.forEach((line) => this.svg.append(...this.trace(line, this.lines.length === 1)));
    if (!values.length) this.svg.append(make("text", { x: this.width / 2, y: HEIGHT / 2, "text-anchor": "middle" }, this.empty));
    this.overlay = make("g");
    this.svg.append(this.overlay);
    this.legend.replaceChildren(...this.lines.map((line) => this.entry(line)));
    this.plot.setAttribute("aria-valuemax", String(this.times.length - 1));
    this.look(this.at);
  }

  grid(shares) {
    const parts = [];
    for (const share of shares) {
      const y = this.y(this.top * share);
      parts.push(make("line", { class: share ? "rule" : "base", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }));
      parts.push(make("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, share ? written(this.top * share, this.unit) : "0"));
    }
    const count = this.width > 420 ? 5 : 3;
    for (let tick = 0; tick < count; tick += 1) {
      const index = Math.round((tick / (count - 1)) * (this.times.length - 1));
      const anchor = tick === 0 ? "start" : tick === count - 1 ? "end" : "middle";
      parts.push(make("text", { x: this.x(index), y: HEIGHT - 4, "text-anchor": anchor }, clock(this.times[index])));
    }
    return parts;
  }

  trace(line, alone) {
    let path = "", area = "", from = null, last = null;
    line.values.forEach((value, index) => {
      if (value === null) {
        if (from !== null) area += `L${this.x(last)} ${this.y(0)}L${this.x(from)} ${this.y(0)}Z`;
        from = null;
        return;
      }
      const point = `${this.x(index).toFixed(1)} ${this.y(value).toFixed(1)}`;
      path += (from === null ? "M" : "L") + point;
      area += (from === null ? "M" : "L") + point;
      if (from === null) from = index;
      last = index;
    });
    if (from !== null) area += `L${this.x(last)} ${this.y(0)}L${this.x(from)} ${this.y(0)}Z`;
    const trace = styled(make("path", { class: "trace", d: path }), { stroke: line.color });
    return alone ? [styled(make("path", { class: "area", d: area }), { fill: line.color }), trace] : [trace];
  }

  entry(line) {
    const now = line.values.findLast((value) => value !== null);
    return make("li", {}, styled(make("i"), { background: line.color }), `${line.name} `, make("b", {}, written(now, this.unit)));
  }

  x(index) {
    return LEFT + ((this.width - LEFT - RIGHT) * index) / Math.max(1, this.times.length - 1);
  }

  y(value) {
    return HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.min(value, this.top)) / this.top;
  }

  point(event) {
    if (!this.times) return;
    const share = (event.offsetX - LEFT) / (this.width - LEFT - RIGHT);
    this.look(Math.round(Math.min(1, Math.max(0, share)) * (this.times.length - 1)));
  }

  key(event) {
    if (!this.times) return;
    const last = this.times.length - 1, here = this.at ?? last;
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last, PageUp: here + 10, PageDown: here - 10 };
    if (event.key === "Escape") this.look(null);
    if (!(event.key in places)) return;
    event.preventDefault();
    this.look(Math.min(last, Math.max(0, places[event.key])));
  }

  look(index) {
    if (!this.overlay) return;
    this.at = index;
    this.overlay.replaceChildren();
    this.tip.hidden = index === null;
    const shown = index ?? this.times.length - 1;
    const told = this.lines.map((line) => `${line.name} ${written(line.values[shown], this.unit)}`);
    this.plot.setAttribute("aria-valuenow", String(shown));
    this.plot.setAttribute("aria-valuetext", `${exactly(this.times[shown])}: ${told.join(", ") || this.empty}`);
    if (index === null) return;
    const x = this.x(index);
    this.overlay.append(make("line", { class: "cross", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
    for (const line of this.lines) {
      if (line.values[index] === null) continue;
      const spot = make("circle", { class: "spot", cx: x, cy: this.y(line.values[index]), r: 4 });
      this.overlay.append(styled(spot, { fill: line.color }));
    }
    const rows = this.lines.map((line) => make("div", {}, styled(make("i"), { background: line.color }), `${line.name} `, make("b", {}, written(line.values[index], this.unit))));
    this.tip.replaceChildren(make("div", {}, exactly(this.times[index])), ...rows);
    const right = x > this.width / 2;
    styled(this.tip, { left: right ? "auto" : `${x + 10}px`, right: right ? `${this.width - x + 10}px` : "auto" });
  }
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value * 1.02) * power || 10 * power;
}
