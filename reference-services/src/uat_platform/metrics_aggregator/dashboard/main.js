// One stream of events; each has everything, so that nothing has to be remembered.
const charts = {
  rate: new Chart("rate", "Requests", "rate", "no requests"),
  latency: new Chart("latency", "Latency", "seconds", "no requests"),
  errors: new Chart("errors", "Error share", "share", "no requests"),
  retries: new Chart("retries", "Retry share", "share", "no calls"),
};
const colors = new Map();
const service = document.getElementById("service"), controls = document.getElementById("controls");
let stream = null, latest = null, heard = 0;

function color(name) {
  if (!colors.has(name)) colors.set(name, `var(--c${colors.size % 10})`);
  return colors.get(name);
}

// The highest first; beyond ten nobody can tell them apart, so the rest is left to the table.
function lines(found) {
  const height = (values) => Math.max(0, ...values.filter((value) => value !== null));
  const all = Object.entries(found).sort((a, b) => height(b[1]) - height(a[1]));
  return all.slice(0, 10).map(([name, values]) => ({ name, values, color: color(name) }));
}

function choose(name) {
  service.value = name;
  follow();
}

function render(view) {
  latest = view;
  view.services.map((each) => each.name).sort().forEach(color);
  document.getElementById("verdict").textContent = verdict(view.services);
  document.title = verdict(view.services);
  const options = ["", ...view.services.map((each) => each.name)];
  if (options.join() !== [...service.options].map((option) => option.value).join()) {
    const kept = service.value;
    service.replaceChildren(...options.map((name) => make("option", { value: name }, name || "All services")));
    service.value = options.includes(kept) ? kept : "";
  }
  drawAlerts(view.alerts);
  drawFigures(view);
  drawMap(view, view.service, choose);
  drawTable(view.services);
  charts.rate.show(view.times, lines(view.charts.rate));
  charts.errors.show(view.times, lines(view.charts.errors));
  charts.retries.show(view.times, lines(view.charts.retries));
  const ranks = [["p99", "99th percentile", "--c1"], ["p95", "95th percentile", "--c0"], ["p50", "median", "--c2"]];
  charts.latency.show(view.times, ranks.filter(([key]) => view.charts.latency[key].length).map(([key, name, variable]) => ({ name, values: view.charts.latency[key], color: `var(${variable})` })));
  drawBreakers(view);
  drawBulkheads(view.bulkheads);
  document.documentElement.dataset.ready = "true";
}

function live(state, text) {
  document.getElementById("live").dataset.state = state;
  const words = document.getElementById("live-text");
  if (words.textContent !== text) words.textContent = text;
}

function follow() {
  stream?.close();
  const window_ = controls.elements.window.value;
  stream = new EventSource(`/events?window=${window_}&service=${encodeURIComponent(service.value)}`);
  stream.addEventListener("view", (event) => {
    heard = Date.now();
    const view = JSON.parse(event.data);
    live("on", `live, every ${view.interval} s`);
    render(view);
  });
  stream.addEventListener("trouble", () => live("off", "the aggregator is busy; figures are old"));
  stream.addEventListener("shutdown", () => live("off", "the aggregator is restarting"));
  stream.onerror = () => live("off", latest ? `no connection since ${exactly(heard / 1000)}; trying again` : "no connection; trying again");
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById("theme").setAttribute("aria-pressed", String(name === "dark"));
}

const preferred = matchMedia("(prefers-color-scheme: dark)");
theme(preferred.matches ? "dark" : "light");
preferred.addEventListener("change", (event) => theme(event.matches ? "dark" : "light"));
document.getElementById("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
controls.addEventListener("change", follow);
controls.addEventListener("submit", (event) => event.preventDefault());
new ResizeObserver(() => latest && drawMap(latest, latest.service, choose)).observe(document.getElementById("map"));
follow();
