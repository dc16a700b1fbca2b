// What is drawn: numbers, a trend, groups, the newest. Only what is proven has a length.

const SWITCH = ["utm_campaign", "utm_source", "device", "status"];

function drawNumbers(numbers) {
  const many = [["Contacts", numbers.total, numbers.total_certainty]];
  for (const name of ["leads", "customers", "lost", "converted", "unknown"]) {
    const title = name === "unknown" ? "Other" : name[0].toUpperCase() + name.slice(1);
    many.push([title, numbers[name], numbers.status_certainty]);
  }
  return many
    .filter(([, value]) => value !== undefined)
    .map(([title, value, certainty]) =>
      make(
        "div",
        {},
        make("dt", {}, title),
        make("dd", {}, say.count(value, certainty), " ", make("small", {}, say.certainty(certainty))),
      ),
    );
}

/** Return a trend: what is over drawn solid, what is cut or still runs hatched, the rest not. */
function drawTrend(part, unit, open) {
  const narrow = filterOfPart(part);
  const title = make("h2", { id: "trend-title" }, `New contacts by ${named(unit)}`);
  const about = make("p", { class: "about quiet" }, aboutPart(part, "drawn"));
  const shown = part.groups.filter((group) => !isRest(group.key[unit]) && !isNone(group.key[unit]));
  for (const [is, words] of [[isRest, "earlier"], [isNone, "without a date"]]) {
    const left = part.groups.find((group) => is(group.key[unit]));
    if (left) about.append(` ${say.number(left.contacts)} ${words}.`);
  }
  if (!shown.length) return [title, about];
  const most = Math.max(...shown.map((group) => group.contacts), 1);
  const bars = shown.map((group, at) => {
    const name = say.period(unit, group.key[unit]);
    const words = `${name}: ${say.number(group.contacts)}${group.partial ? ", in part" : ""}`;
    return make(
      "li",
      {},
      make(
        "button",
        {
          class: group.partial && "part",
          title: words,
          "aria-label": words,
          disabled: !host.canCall,
          tabindex: at === shown.length - 1 ? 0 : -1,
          click: () => open({ ...narrow, ...filterOf(unit, group.key[unit]) }, name),
        },
        make("b", { "aria-hidden": "true" }, say.number(group.contacts)),
        make("i", { "--of": group.contacts / most }),
      ),
    );
  });
  const list = make("ol", { class: shown.length > 12 ? "bars many" : "bars" }, bars);
  list.addEventListener("keydown", moveAlong);
  const [first, last] = [shown[0], shown[shown.length - 1]].map((g) => say.period(unit, g.key[unit]));
  const ends = make("div", { class: "ends", "aria-hidden": "true" }, make("span", {}, first));
  if (first !== last) ends.append(make("span", {}, last));
  if (shown.some((group) => group.partial)) about.append(" Hatched: in part.");
  return [title, list, ends, about];
}

/** Let the arrows move along the bars: all of them are one stop of the tab key. */
function moveAlong(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!step) return;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const to = Math.min(Math.max(buttons.indexOf(event.target) + step, 0), buttons.length - 1);
  buttons.forEach((button, at) => (button.tabIndex = at === to ? 0 : -1));
  buttons[to].focus();
  event.preventDefault();
}

/** Return groups as a table whose bars are shares: where there is no share there is no bar. */
function drawGroups(part, by, choose, open, asked) {
  const choices = SWITCH.includes(by) ? SWITCH : [by, ...SWITCH];
  const options = choices.map((name) =>
    make(
      "label",
      {},
      make("input", {
        type: "radio",
        name: "by",
        value: name,
        checked: name === by,
        disabled: !host.canCall,
        click: () => choose(name),
      }),
      named(name),
    ),
  );
  const head = make(
    "div",
    { class: "head" },
    make("h2", { id: "groups-title" }, `By ${named(by).toLowerCase()}`),
    make("div", { class: "switch", role: "radiogroup", "aria-label": "Group by" }, options),
  );
  const about = make("p", { class: "about quiet" }, aboutPart(part, "counted"));
  if (!part.groups.length) return [head, about];
  const converts = part.groups.some((group) => group.customer_share !== undefined);
  const shares = part.groups.some((group) => group.share !== undefined);
  const kind = by.split(":")[0];
  const apart = !(MANY.includes(kind) && asked[kind]);
  if (!apart) about.append(" The people of a row cannot be listed beside that filter.");
  const narrow = filterOfPart(part);
  const rows = part.groups.map((group) => {
    const value = group.key[by] ?? "";
    const list = () => open({ ...narrow, ...filterOf(by, value) }, value);
    const name =
      isRest(value) || !apart
        ? make("span", { class: isRest(value) && "quiet" }, value)
        : button(value, list, "link");
    const certainty = group.certainty || part.groups_certainty || "at_least";
    return make(
      "tr",
      {},
      make(
        "th",
        { scope: "row" },
        name,
        group.partial && make("small", {}, " in part"),
        // A period that is cut has no length beside others.
        barOf(group.partial ? undefined : group.share),
      ),
      make("td", { class: "n" }, say.count(group.contacts, certainty)),
      shares && make("td", { class: "n off-tiny" }, group.partial ? "" : percent(group.share)),
      converts && make("td", { class: "n" }, percent(group.customer_share), barOf(group.customer_share, "two")),
    );
  });
  const headings = make(
    "tr",
    {},
    make("th", { scope: "col" }, make("span", { class: "away" }, named(by))),
    make("th", { scope: "col", class: "n" }, "Contacts"),
    shares && make("th", { scope: "col", class: "n off-tiny" }, "Share"),
    converts && make("th", { scope: "col", class: "n" }, "Customers"),
  );
  const table = make("table", { class: "groups" }, make("thead", {}, headings), make("tbody", {}, rows));
  const rest = part.groups.length - 5;
  const more = rest > 0 && make("p", { class: "quiet rest" }, `${rest} more in the large view.`);
  return [head, table, more || "", about];
}

const percent = (share) => (share === undefined ? "" : say.share(share));

function barOf(share, which) {
  if (share === undefined) return "";
  return make("span", { class: which ? `bar ${which}` : "bar", "--of": share, "aria-hidden": "true" });
}

function drawNewest(part, fresh, openCard) {
  const rows = part.contacts.map((contact) =>
    make(
      "li",
      { class: fresh.has(contact.id) && "fresh" },
      make(
        "span",
        {},
        button(titleOf(contact), () => openCard(contact.id), "link"),
        make("span", { class: "quiet" }, beside(contact)),
      ),
      make("span", { class: "quiet" }, contact.created ? say.time(contact.created) : "no date"),
    ),
  );
  const unsure = "of those in hand; newer ones may be missing";
  const sure = part.certainty === "at_least" ? unsure : say.certainty(part.certainty);
  const certainty = rows.length ? sure : "nobody";
  return [
    make("h2", { id: "newest-title" }, "Newest ", make("small", {}, certainty)),
    make("ul", {}, rows),
  ];
}

const titleOf = (contact) => contact.name || contact.email || contact.phone || contact.id;

function beside(contact) {
  const more = [contact.company || contact.city, contact.status].filter(Boolean);
  return more.length ? ` ${more.join(", ")}` : "";
}
