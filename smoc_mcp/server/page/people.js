// Large: the table of people, page by page, and one of them on a card.

const PAGE_OF = 50;
const AGES = { "": "any time", "7d": "7 days", "30d": "30 days", "90d": "90 days" };
const STATUSES = { "": "any", lead: "lead", customer: "customer", lost: "lost", converted: "converted" };
const SORTS = {
  auto: "newest, or best match",
  updated: "latest changed",
  conversation: "last talked to",
  engagement: "most engaged",
};

/** The table: what was asked for, and as many pages as were wanted. */
function peopleTable(root, openCard) {
  let base = {};
  let group = null;
  let asked = 0;
  let cursor = "";
  const field = (label, control) => make("label", {}, label, control);
  const select = (name, values) =>
    make(
      "select",
      { name },
      Object.entries(values).map(([value, text]) => make("option", { value }, text)),
    );
  const query = make("input", { type: "search", name: "query", maxlength: 200 });
  const status = select("status", STATUSES);
  const since = select("since", AGES);
  const sort = select("sort", SORTS);
  // No form: a frame without leave to submit would swallow it.
  const form = make(
    "div",
    { class: "form", role: "search" },
    make("label", { class: "wide" }, "Words in names, addresses, texts", query),
    field("Status", status),
    field("Created within", since),
    field("Order", sort),
    button("Search", () => begin()),
  );
  const chip = make("p", { class: "quiet" });
  const total = make("p", { class: "quiet", role: "status" });
  const body = make("tbody");
  const columns = [
    ["Name", ""],
    ["E-mail", "mail off-small"],
    ["Company", "off-tiny"],
    ["Status", "short"],
    ["Consent", "short off-medium"],
    ["Created", "short off-tiny"],
    ["Last talked to", "short off-medium"],
    ["Source", "off-medium"],
  ];
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, columns.map(([n, c]) => make("th", { scope: "col", class: c }, n)))),
    body,
  );
  const more = button("Show more", () => load());
  root.replaceChildren(
    make("h2", { id: "people-title", tabindex: -1 }, "People"),
    form,
    chip,
    table,
    make("div", { class: "more" }, more, total),
  );
  query.addEventListener("keydown", (event) => event.key === "Enter" && begin());
  for (const control of [status, since, sort]) {
    control.addEventListener("change", () => {
      // What is chosen here takes the place of a group of the same.
      if (control === status && group?.filter.status) group = null;
      begin();
    });
  }

  function given() {
    const age = since.value ? { created_after: since.value } : {};
    const filters = { ...base, ...group?.filter, ...age };
    if (status.value && !group?.filter.status) filters.status = status.value;
    if (query.value.trim()) filters.query = query.value.trim();
    return { ...filters, sort: sort.value, limit: PAGE_OF };
  }

  function begin() {
    cursor = "";
    body.replaceChildren();
    more.textContent = "Show more";
    const { sort: _, limit: __, ...asked } = given();
    const words = Object.entries(asked).map(([name, value]) => `${spaced(name)}: ${value}`);
    chip.replaceChildren(words.length ? `Asked for ${words.join(" · ")} ` : "");
    if (group) {
      const all = () => open(base, null);
      chip.append(button("Show all", all));
    }
    return load();
  }

  async function load() {
    const mine = ++asked;
    more.disabled = true;
    table.setAttribute("aria-busy", "true");
    total.textContent = "Looking…";
    try {
      const page = await host.call("contacts_search", { ...given(), ...(cursor && { cursor }) });
      // Meanwhile something else was asked.
      if (mine !== asked) return;
      show(page);
    } catch (error) {
      if (mine !== asked) return;
      total.textContent = error.message;
      more.textContent = "Try again";
      more.hidden = more.disabled = false;
    } finally {
      if (mine === asked) table.removeAttribute("aria-busy");
    }
  }

  function show(page) {
    const rows = page.contacts.map(rowOf);
    if (page.certainty === "at_least" && rows.length && !body.querySelector(".edge")) {
      const where = body.childElementCount ? "From here on" : "Anywhere in this list";
      const words = `${where} contacts may be missing. ${page.note || ""}`;
      body.append(make("tr", { class: "edge" }, make("td", { colspan: columns.length }, words)));
    }
    body.append(...rows);
    cursor = page.next_cursor || "";
    more.textContent = "Show more";
    more.hidden = !cursor;
    more.disabled = false;
    const shown = body.querySelectorAll("tr:not(.edge)").length;
    const of = say.count(Math.max(page.total, shown), page.total_certainty);
    const known = page.total_certainty === "at_least" ? "which may not be all" : say.certainty(page.total_certainty);
    total.textContent = shown || page.total_certainty !== "at_least"
      ? `${say.number(shown)} of ${of}, ${known}.`
      : "Nobody was found, which does not prove that nobody matches.";
    if (page.note && !body.querySelector(".edge")) total.textContent += ` ${page.note}`;
  }

  function rowOf(contact) {
    const name = button(titleOf(contact), () => openCard(contact.id), "link");
    const texts = [
      contact.email,
      contact.company,
      contact.status,
      contact.consent,
      contact.created && say.day(contact.created),
      contact.last_conversation && say.day(contact.last_conversation),
      contact.source,
    ];
    const cells = texts.map((text, at) => make("td", { class: columns[at + 1][1] }, text || ""));
    const under = [
      contact.reasons,
      contact.matched && `found in ${contact.matched}`,
      contact.last_verified && `as last seen ${say.time(contact.last_verified)}`,
    ].filter(Boolean);
    return make(
      "tr",
      {},
      make(
        "th",
        { scope: "row" },
        name,
        make("small", { class: "on-small" }, contact.name ? contact.email || contact.phone || "" : ""),
        under.length > 0 && make("small", {}, ` ${under.join("; ")}`),
      ),
      cells,
    );
  }

  function open(filters, narrowed) {
    base = { ...filters };
    delete base.status;
    delete base.query;
    status.value = STATUSES[filters.status] ? filters.status : "";
    if (filters.status && !status.value) base.status = filters.status;
    query.value = filters.query || "";
    since.value = "";
    group = narrowed;
    return begin();
  }

  return { open };
}

const MOMENTS = ["created", "updated", "last_conversation", "last_verified"];
const PLACES = ["company", "street", "zip", "city", "state", "country"];
const CARD = ["email", "phone", ...PLACES, "consent", "invited_by", ...MOMENTS];

/** Return what a card shows of a contact, as contacts_get tells it whole. */
function drawCard({ contact, note, as_of: asOf, next_cursor: more }, back) {
  const words = (value) => (Array.isArray(value) ? value.map(words).join("; ") : String(value));
  const lineOf = (value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.values(value).map(words).join(", ")
      : words(value);
  const pairs = CARD.filter((name) => ![undefined, "none"].includes(contact[name])).map((name) => [
    make("dt", {}, spaced(name)),
    make("dd", {}, MOMENTS.includes(name) ? say.time(contact[name]) : lineOf(contact[name])),
  ]);
  const listOf = (part) => (Array.isArray(part) ? part : []);
  // A part that could not be read is a text that says so, and no empty list.
  const heading = (part, none, some) =>
    typeof part === "string" && part !== "none" ? `${some}: ${part}` : listOf(part).length ? `${some}: ${say.number(part.length)}` : none;
  const visits = listOf(contact.visits);
  const answers = listOf(contact.surveys).map((a) => [a.question || "survey", a.answer]);
  const texts = listOf(contact.texts).map((t) => [t.key || "text", t.value]);
  const given = contact.rewards || {};
  const rewards = Object.entries(typeof given === "string" ? { rewards: given } : given)
    .filter(([, titles]) => titles !== "none")
    .map(([name, titles]) => [spaced(name), words(titles)]);
  const referred = listOf(contact.referrals?.referred).map((p) => ["referred", p.name || p.email || p.id]);
  const told = [...answers, ...texts, ...rewards, ...referred].filter(([, value]) => value);
  const seen = [
    asOf && `As of ${say.time(asOf)}.`,
    note,
    more && "There is more than is shown here: ask for this contact.",
  ].filter(Boolean);
  return [
    button("Back", back),
    make("h1", { id: "card-title", tabindex: -1 }, titleOf(contact)),
    make("p", { class: "quiet" }, `${contact.status}. ${seen.join(" ")}`),
    make(
      "div",
      { class: "columns" },
      make("dl", {}, pairs),
      make(
        "div",
        {},
        make("h2", {}, heading(contact.surveys, "Answers: none", "Answers")),
        make("h2", {}, heading(contact.texts, "Texts: none", "Texts")),
        make("dl", {}, told.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
      ),
    ),
    make("h2", {}, heading(contact.visits, "Visits: none", "Visits")),
    ...timeLine(contact, visits),
    make("ol", { class: "visits" }, visits.map(visitOf)),
  ];
}

function visitOf(visit) {
  const { at, landing_page: page, ...rest } = visit;
  const where = [rest.city || rest.region, rest.country, rest.device, rest.browser];
  const source = [rest.utm_source, rest.utm_medium, rest.utm_campaign].filter(Boolean).join(" / ");
  const words = [...where, source, page].filter(Boolean).join(" · ");
  return make("li", {}, make("span", { class: "quiet" }, at ? say.time(at) : "no time"), ` ${words}`);
}

/** Return a line from the first to the last moment that we know of a contact. */
function timeLine(contact, visits) {
  const dots = visits.map((visit) => ["", visit.at, "visit"]);
  dots.push(["came", contact.created, "created"], ["talk", contact.last_conversation, "last talked to"]);
  const known = dots.filter(([, at]) => at && !isNaN(new Date(at)));
  if (!known.length) return [];
  const times = known.map(([, at]) => Number(new Date(at)));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const marks = known.map(([kind, at, what], i) =>
    make("i", {
      class: kind,
      "--at": last > first ? (times[i] - first) / (last - first) : 0.5,
      title: `${what}: ${say.time(at)}`,
    }),
  );
  const near = say.day(first) === say.day(last);
  const ends = [first, last].map((time) => make("span", {}, near ? say.time(time) : say.day(time)));
  const key = [["", "visit"], ["came", "created"], ["talk", "last talked to"]]
    .filter(([kind]) => known.some(([mine]) => mine === kind))
    .map(([kind, what]) => make("span", {}, make("i", { class: kind }), what));
  return [
    make("div", { class: "line", "aria-hidden": "true" }, marks),
    make("div", { class: "ends", "aria-hidden": "true" }, first < last ? ends : ends[0]),
    make("div", { class: "key", "aria-hidden": "true" }, key),
  ];
}
