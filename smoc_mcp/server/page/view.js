// The page: what it has, what it shows of that, and when it asks again.

const MINUTE = 60_000;
const state = {
  asked: {},
  shown: null,
  groups: {},
  by: "",
  large: false,
  fresh: new Set(),
  told: 0,
};
let table = null;
let from = null;

const PROBLEMS = {
  key: "SMOC refuses the key",
  upstream: "SMOC is out of reach",
  input: "This cannot be asked",
  cancelled: "Stopped",
};

function draw() {
  const { shown, by } = state;
  $("asked").replaceChildren(
    ...Object.entries(filters()).map(([name, value]) =>
      make("li", {}, `${name.replaceAll("_", " ")}: ${value}`),
    ),
  );
  if (!shown) return;
  $("pictures").removeAttribute("aria-busy");
  for (const name of ["numbers", "beside"]) $(name).classList.remove("waiting");
  $("moment").textContent = `As of ${say.time(shown.as_of)}`;
  $("numbers").replaceChildren(...drawNumbers(shown.numbers));
  $("trend").replaceChildren(...drawTrend(shown.trend, shown.unit, openPeople));
  $("groups").replaceChildren(...drawGroups(state.groups[by], by, choose, openPeople));
  $("newest").replaceChildren(...drawNewest(shown.newest, state.fresh, openCard));
  const empty = !shown.numbers.total && shown.numbers.total_certainty !== "at_least";
  $("beside").hidden = $("which").hidden = empty;
  if (empty) {
    const filtered = Object.keys(filters()).length;
    problem("", filtered ? "Nobody matches these filters." : "There are no contacts yet.");
  } else if (shown.failure) problem("upstream", `${shown.failure} What is shown was known before.`);
  else problem();
  const notes = [shown, shown.trend, state.groups[by]].map((part) => part.note || "");
  const sentences = new Set(notes.join(" ").split(/(?<=[.!?]) /));
  $("proof").hidden = !notes.join("");
  $("proof").querySelector("p").textContent = [...sentences].join(" ");
  drawActions();
}

function drawActions() {
  const act = (words, click) => make("button", { type: "button", class: "plain", click }, words);
  const actions = [];
  if (host.canCall || state.shown === null) actions.push(act("Refresh", again));
  if (host.canCall && state.shown) {
    if (state.large) actions.push(act("Close the table", () => enlarge(false)));
    else actions.push(act(host.canBeLarge ? "Open large" : "Show the table", () => openPeople()));
  }
  $("actions").replaceChildren(...actions);
}

/** Show a state in which there is nothing to draw, or less than was asked for; nothing ends it. */
function problem(kind, words) {
  const box = $("problem");
  box.hidden = !words;
  box.replaceChildren();
  if (!words) return;
  if (kind in PROBLEMS) box.append(make("h2", {}, PROBLEMS[kind]));
  box.append(make("p", {}, words));
}

/** Show that something is on its way. */
function wait() {
  if (state.shown) return;
  problem();
  $("pictures").setAttribute("aria-busy", "true");
  $("numbers").replaceChildren(...[1, 2, 3, 4].map(() => make("div")));
  for (const name of ["numbers", "beside"]) $(name).classList.add("waiting");
  for (const name of ["trend", "groups", "newest"]) $(name).replaceChildren();
  $("pictures").hidden = false;
  $("proof").hidden = true;
}

function fail(kind, words) {
  if (state.shown) {
    problem(kind, words);
    return;
  }
  $("pictures").hidden = true;
  problem(kind || "upstream", words);
  drawActions();
}

/** Take an answer of contacts_dashboard: the host's, or one that the page asked for. */
function take(result) {
  if (result.isError) {
    const error = failure(result);
    fail(error.kind, error.message);
    return;
  }
  const shown = result.structuredContent;
  if (!shown || !shown.numbers) {
    // A host that hands over the text alone.
    const text = (result.content || []).map((part) => part.text || "").join("\n");
    $("pictures").hidden = true;
    problem("", "");
    $("said").replaceChildren();
    $("people").hidden = !text;
    $("people").replaceChildren(make("h2", { id: "people-title" }, "Contacts"), make("pre", {}, text));
    return;
  }
  state.shown = shown;
  state.by = shown.group_by;
  state.groups = { [shown.group_by]: shown.groups };
  $("pictures").hidden = false;
  draw();
  plan();
}

/** Return the filters that were asked for. */
function filters() {
  const { group_by: _, ...rest } = state.asked;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
}

/** Draw anew for a person, who has seen by now who was new. */
function again() {
  state.told = 0;
  state.fresh.clear();
  $("said").textContent = "";
  return refresh();
}

async function refresh() {
  wait();
  $("actions").querySelectorAll("button").forEach((button) => (button.disabled = true));
  try {
    const by = state.by || state.asked.group_by;
    const shown = await host.call("contacts_dashboard", { ...filters(), ...(by && { group_by: by }) });
    take({ structuredContent: shown });
  } catch (error) {
    fail(error.kind, error.message);
  } finally {
    drawActions();
  }
}

async function choose(by) {
  const before = state.by;
  state.by = by;
  if (!state.groups[by]) {
    try {
      const given = { ...filters(), group_by: by, limit: 8 };
      state.groups[by] = await host.call("contacts_stats", given);
    } catch (error) {
      state.by = before;
      draw();
      problem(error.kind, error.message);
      return;
    }
  }
  if (state.by !== by) return;
  draw();
  $("groups").querySelector(":checked")?.focus();
}

async function enlarge(large) {
  // Before it is asked for: the host tells of the new mode before it answers.
  state.large = large;
  if (host.canBeLarge) {
    const mode = large ? "fullscreen" : "inline";
    try {
      const found = await host.ask("ui/request-display-mode", { mode });
      // A host that does not say which mode it is in now has left it as it was.
      if (found.mode && found.mode !== mode) large = found.mode === "fullscreen";
    } catch {
      // The table fits below as well.
    }
  }
  state.large = large;
  $("people").hidden = !large;
  document.body.classList.toggle("large", large);
  drawActions();
}

async function openPeople(filter, title) {
  if (!host.canCall) return;
  if (!state.large) await enlarge(true);
  table ||= peopleTable($("people"), openCard);
  $("people-title").focus();
  $("people").scrollIntoView({ block: "nearest" });
  await table.open(filters(), filter ? { filter, title } : null);
}

async function openCard(id) {
  if (!host.canCall) return;
  from = document.activeElement;
  const card = $("card");
  showCard(true);
  card.replaceChildren(make("p", { class: "quiet", id: "card-title" }, "Looking…"));
  try {
    const { contact } = await host.call("contacts_get", { contact_id: id, include: "visits" });
    card.replaceChildren(...drawCard(contact, closeCard));
    $("card-title").focus();
    tellModel(id);
  } catch (error) {
    const back = make("button", { type: "button", class: "plain", click: closeCard }, "Back");
    card.replaceChildren(back, make("p", { id: "card-title" }, error.message));
    back.focus();
  }
}

function showCard(shown) {
  $("card").hidden = !shown;
  for (const name of ["pictures", "actions"]) $(name).hidden = shown;
  $("people").hidden = shown || !state.large;
}

function closeCard() {
  showCard(false);
  from?.focus();
}

/** Let the model know whom the person looks at: by id, for all else was typed by strangers. */
function tellModel(id) {
  if (!/^[\w-]{1,64}$/.test(id)) return;
  const text = `In the dashboard, the person has opened the contact with id ${id}.`;
  host.ask("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => {});
}

// While it is seen, it asks once a minute what is new; a host that refuses is not asked again.
let seen = true;
let timer = 0;
let failures = 0;

function plan() {
  clearTimeout(timer);
  if (host.canCall && failures < 3) timer = setTimeout(look, MINUTE);
}

async function look() {
  if (!seen || document.visibilityState !== "visible" || !state.shown) return plan();
  try {
    const news = await host.call("contacts_changes", { since: state.shown.cursor, limit: 20 });
    failures = 0;
    const known = new Set(state.shown.newest.contacts.map((contact) => contact.id));
    const came = news.new.filter((contact) => !known.has(contact.id));
    if (came.length) {
      state.told += came.length;
      came.forEach((contact) => state.fresh.add(contact.id));
      $("said").textContent = `${say.number(state.told)}${news.more ? "+" : ""} new`;
    }
    if (came.length || news.updated.length) await refresh();
    else state.shown.cursor = news.cursor;
  } catch {
    failures += 1;
  }
  plan();
}

new IntersectionObserver((entries) => {
  seen = entries.some((entry) => entry.isIntersecting);
}).observe(document.body);
$("which").addEventListener("change", (event) => ($("beside").dataset.which = event.target.value));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("card").hidden) closeCard();
});

host.on("ui/notifications/tool-input", ({ arguments: given }) => {
  state.asked = given || {};
  draw();
  if (!state.shown) wait();
});
host.on("ui/notifications/tool-result", (result) => take(result));
host.on("ui/notifications/tool-cancelled", () => fail("cancelled", "The question was cancelled."));
host.on("ui/notifications/host-context-changed", (part) => {
  host.follow(part);
  // The person may have used a button of the client.
  if (part.displayMode === "inline" && host.canBeLarge && state.large) enlarge(false);
  if (part.displayMode === "fullscreen" && state.shown && !state.large) openPeople();
  draw();
});
host.on("ui/resource-teardown", () => clearTimeout(timer));

wait();
host
  .begin()
  .then((context) => {
    host.follow(context);
    draw();
  })
  .catch(() => fail("", "This page is shown by an MCP client, and found none."));
