// Alerts, figures, the table, breakers and bulkheads.
function drawAlerts(alerts) {
  const host = document.getElementById("alerts");
  const firing = alerts.filter((alert) => alert.state === "firing");
  host.hidden = !firing.length;
  host.replaceChildren(...firing.map((alert) =>
    make("div", { class: `alert ${alert.severity}`, role: "alert" }, make("b", {}, alert.name), make("div", {}, alert.summary), make("time", { datetime: new Date(alert.since * 1000).toISOString() }, `since ${exactly(alert.since)}`))));
}

function verdict(services) {
  const count = (health) => services.filter((service) => service.health === health);
  const down = count("down"), ill = count("degraded");
  if (!services.length) return "No services yet";
  if (down.length) return `${down.map((service) => service.name).slice(0, 2).join(" and ")}${down.length > 2 ? ` and ${down.length - 2} more are` : down.length > 1 ? " are" : " is"} down`;
  if (ill.length) return `${plural(services.length, "service")}, ${ill.map((service) => service.name).slice(0, 2).join(" and ")} degraded`;
  return services.length === 1 ? "One service, and it is well" : `All ${services.length} services are well`;
}

function drawFigures(view) {
  const last = (line) => line?.findLast((value) => value !== null) ?? null;
  const chosen = view.services.filter((service) => !view.service || service.name === view.service);
  const rate = chosen.reduce((sum, service) => sum + service.rate, 0);
  const errors = rate ? chosen.reduce((sum, service) => sum + service.rate * service.errors, 0) / rate : 0;
  const retries = Math.max(0, ...Object.values(view.charts.retries).map((line) => last(line) ?? 0));
  const open = view.breakers.filter((breaker) => last(breaker.levels) === 2).length;
  const fullest = Math.max(0, ...view.bulkheads.map((each) => (each.limit ? each.running / each.limit : 0)));
  const figures = [
    ["Requests", number(rate, "rate"), ""],
    ["Errors", number(errors, "share"), errors > 0.05 ? "bad" : errors > 0.01 ? "warn" : ""],
    ["95th percentile", number(last(view.charts.latency.p95), "seconds"), ""],
    ["Highest retry share", number(retries, "share"), retries > 0.2 ? "bad" : retries > 0.1 ? "warn" : ""],
    ["Breakers open", [String(open), make("small", {}, `of ${view.breakers.length}`)], open ? "bad" : ""],
    ["Fullest bulkhead", number(fullest, "share"), fullest > 0.9 ? "bad" : fullest > 0.7 ? "warn" : ""],
  ];
  document.getElementById("figures").replaceChildren(...figures.map(([name, value, state]) =>
    make("dl", { class: `figure ${state}` }, make("dt", {}, name), make("dd", {}, ...value))));
}

function drawTable(services) {
  const head = make("tr", {}, ...["Service", "State", "Instances up", "Requests", "Errors", "95th percentile"].map((name) => make("th", { scope: "col" }, name)));
  const rows = services.map((service) => make("tr", {}, make("td", {}, service.name), make("td", {}, service.health + (service.why ? `: ${shortened(service.why, 60)}` : "")),
    make("td", {}, `${service.up} of ${service.instances}`), make("td", {}, written(service.rate, "rate")), make("td", {}, written(service.errors, "share")), make("td", {}, written(service.p95, "seconds"))));
  document.getElementById("services").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

const LEVELS = ["closed", "half-open", "open"];

function runs(levels) {
  const found = [];
  levels.forEach((level) => {
    const last = found.at(-1);
    if (last && last.level === level) last.count += 1;
    else found.push({ level, count: 1 });
  });
  return found;
}

function who(service, policy, between) {
  const plain = policy.startsWith(`${service}/`) ? policy.slice(service.length + 1) : policy;
  return make("div", { class: "who", title: `${service} ${policy}` }, make("small", {}, `${service} ${between} `), plain);
}

function drawBreakers(view) {
  const step = view.times[1] - view.times[0];
  const rank = (breaker) => [...runs(breaker.levels)].filter((run) => run.level).length;
  const rows = [...view.breakers].sort((a, b) => rank(b) - rank(a)).slice(0, 14).map((breaker) => {
    const parts = runs(breaker.levels);
    const now = breaker.levels.findLast((level) => level !== null) ?? 0;
    const opened = parts.filter((run) => run.level === 2);
    const seconds = opened.reduce((sum, run) => sum + run.count * step, 0);
    const words = `${LEVELS[now]} now; ` + (opened.length ? `open ${plural(opened.length, "time")}, ${Math.round(seconds)} s in all` : "never open in this time");
    const strip = make("div", { class: "strip bar", role: "img", "aria-label": words, title: words }, ...parts.map((run) =>
      styled(make("span", { class: run.level === null ? "" : `s${run.level}` }), { flex: String(run.count) })));
    return make("div", { class: "row" }, who(breaker.service, breaker.policy, "→"), strip, make("div", { class: `state ${["", "warn", "bad"][now]}` }, LEVELS[now]));
  });
  fill("breakers", rows, "No breaker is known.", view.breakers.length - rows.length);
}

function drawBulkheads(bulkheads) {
  const share = (each) => (each.limit ? each.running / each.limit : 0);
  const rows = [...bulkheads].sort((a, b) => share(b) - share(a)).slice(0, 14).map((each) => {
    const part = share(each), state = part > 0.9 ? "bad" : part > 0.7 ? "warn" : "";
    const bar = styled(make("div"), { width: `${Math.min(100, part * 100)}%` });
    const words = `${each.running} of ${each.limit ?? "?"} slots in use, ${each.waiting} waiting`;
    const meter = make("div", { class: `meter bar ${state}`, role: "meter", "aria-valuemin": "0", "aria-valuemax": String(each.limit ?? 1), "aria-valuenow": String(each.running), "aria-label": `${each.service} ${each.policy}`, "aria-valuetext": words, title: words }, bar);
    const text = `${each.running} / ${each.limit ?? "?"}` + (each.waiting ? ` +${each.waiting}` : "");
    return make("div", { class: "row" }, who(each.service, each.policy, "·"), meter, make("div", { class: `state ${state}` }, text));
  });
  fill("bulkheads", rows, "No bulkhead is known.", bulkheads.length - rows.length);
}

function fill(id, rows, empty, more) {
  if (more > 0) rows.push(make("p", { class: "none" }, `and ${more} more that are quieter`));
  document.getElementById(id).replaceChildren(...(rows.length ? rows : [make("p", { class: "none" }, empty)]));
}
