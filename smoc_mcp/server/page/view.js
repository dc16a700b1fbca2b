// The page: what it has, what it shows of that, and when it asks again.

const MINUTE = 60_000;
const state = {
  asked: {},
  shown: null,
  by: "",
  chosen: "",
  large: false,
  fresh: new Set(),
};
let table = null;
let from = null;
let cards = 0;

const PROBLEMS = {
  key: "SMOC refuses the key",
  upstream: "SMOC is out of reach",
  late: "SMOC did not answer all of this",
  input: "This cannot be asked",
  cancelled: "Stopped",
};

function draw() {
  const { shown, by } = state;
  $("asked").replaceChildren(
    ...Object.entries(filters()).map(([name, value]) =>
      make("li", {}, `${spaced(name)}: ${value}`),
    ),
  );
  if (!shown) return;
  $("pictures").removeAttribute("aria-busy");
  for (const name of ["numbers", "beside"]) $(name).classList.remove("waiting");
  $("moment").textContent = `As of ${say.time(shown.as_of)}`;
  const place = marked(document.activeElement);
  $("numbers").replaceChildren(...drawNumbers(shown.numbers));
  $("trend").replaceChildren(...drawTrend(shown.trend, shown.unit, openPeople));
  $("groups").replaceChildren(...drawGroups(shown.groups, by, choose, openPeople, filters()));
  $("newest").replaceChildren(...drawNewest(shown.newest, state.fresh, openCard));
  if (!place?.it.isConnected) focusOn(place);
  const empty = !shown.numbers.total && shown.numbers.total_certainty !== "at_least";
  $("beside").hidden = $("which").hidden = empty;
  if (empty) {
    const filtered = Object.keys(filters()).length;
    problem("", filtered ? "Nobody matches these filters." : "There are no contacts yet.");
  } else if (shown.failure) problem("late", shown.failure);
  else problem();
  const notes = [shown, shown.trend, shown.groups].map((part) => part.note || "");
  const sentences = new Set(notes.join(" ").split(/(?<=[.!?]) /));
  $("proof").hidden = !notes.join("");
  $("proof").querySelector("p").textContent = [...sentences].join(" ");
  drawActions();
}

const nameOf = (it) => it.value || it.textContent;
const inside = (root) => [...root.querySelectorAll("button, input")];

/** Return where the focus is, so that it is found again when that part is drawn anew. */
function marked(it) {
  const root = it.closest("#trend, #groups, #newest, #people");
  return root && { it, root, name: nameOf(it), at: inside(root).indexOf(it) };
}

function focusOn(place) {
  if (!place) return;
  const { it, root, name, at } = place;
  const all = inside(root);
  const found = it.isConnected ? it : all.find((one) => nameOf(one) === name) || all[at] || all.at(-1);
  found?.focus({ preventScroll: true });
}

function drawActions() {
  const actions = [];
  if (host.canCall) actions.push(button("Refresh", again));
  if (host.canCall && state.shown) {
    if (state.large) actions.push(button("Close the table", () => enlarge(false)));
    else actions.push(button(host.canBeLarge ? "Open large" : "Show the table", () => openPeople()));
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
  // A card that is read stays where it is.
  $("pictures").hidden = !$("card").hidden;
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
  state.fresh.clear();
  failures = 0;
  $("said").textContent = "";
  return refresh();
}

async function refresh() {
  wait();
  $("actions").querySelectorAll("button").forEach((button) => (button.disabled = true));
  try {
    // The name as it was asked for: what comes back may be masked.
    const by = state.chosen || state.asked.group_by;
    const shown = await host.call("contacts_dashboard", { ...filters(), ...(by && { group_by: by }) });
    take({ structuredContent: shown });
    return true;
  } catch (error) {
    fail(error.kind, error.message);
    return false;
  } finally {
    drawActions();
  }
}

async function choose(by) {
  const before = state.chosen;
  state.chosen = by;
  // All of it anew: numbers of two moments beside each other contradict one another.
  if (!(await refresh())) {
    state.chosen = before;
    const words = $("problem").textContent;
    draw();
    problem("", words);
  }
  $("groups").querySelector(":checked")?.focus();
}

async function enlarge(large, asks = true) {
  // Before it is asked for: the host tells of the new mode before it answers.
  state.large = large;
  if (asks && host.canBeLarge) {
    // Whatever it answers: the table fits below as well.
    const mode = large ? "fullscreen" : "inline";
    await host.ask("ui/request-display-mode", { mode }).catch(() => {});
  }
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
  from = marked(document.activeElement);
  const card = $("card");
  const mine = ++cards;
  showCard(true);
  card.replaceChildren(make("p", { class: "quiet", id: "card-title" }, "Looking…"));
  try {
    const found = await host.call("contacts_get", { contact_id: id, include: "all" });
    // Meanwhile another was opened, or this one closed.
    if (mine !== cards) return;
    card.replaceChildren(...drawCard(found, closeCard));
    $("card-title").focus();
    tellModel(id);
  } catch (error) {
    if (mine !== cards) return;
    const back = button("Back", closeCard);
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
  cards += 1;
  showCard(false);
  focusOn(from);
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
let ended = false;

function plan() {
  clearTimeout(timer);
  if (host.canCall && failures < 3 && !ended) timer = setTimeout(look, MINUTE);
}

async function look() {
  if (!seen || document.visibilityState !== "visible" || !state.shown) return plan();
  try {
    const news = await host.call("contacts_changes", { since: state.shown.cursor, limit: 20 });
    if (ended) return;
    const known = new Set(state.shown.newest.contacts.map((contact) => contact.id));
    const came = news.new.filter(({ id }) => !known.has(id) && !state.fresh.has(id));
    came.forEach((contact) => state.fresh.add(contact.id));
    if (state.fresh.size) {
      // News know no filter, so beside one they are of the whole company.
      const where = Object.keys(filters()).length ? " in the company" : "";
      $("said").textContent = `${say.number(state.fresh.size)}${news.more ? "+" : ""} new${where}`;
    }
    const drawn = came.length || news.updated.length ? await refresh() : true;
    if (drawn && !came.length && !news.updated.length) state.shown.cursor = news.cursor;
    failures = drawn ? 0 : failures + 1;
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

host.on(NOTE + "tool-input", ({ arguments: given }) => {
  state.asked = given || {};
  draw();
  if (!state.shown) wait();
});
host.on(NOTE + "tool-result", (result) => take(result));
host.on(NOTE + "tool-cancelled", () => fail("cancelled", "The question was cancelled."));
host.on(NOTE + "host-context-changed", (part) => {
  host.follow(part);
  // The person may have used a button of the client.
  if (part.displayMode === "inline" && host.canBeLarge && state.large) enlarge(false, false);
  if (part.displayMode === "fullscreen" && state.shown && !state.large) openPeople();
  draw();
});
host.on("ui/resource-teardown", () => {
  ended = true;
  clearTimeout(timer);
});

wait();
host
  .begin()
  .then((context) => {
    host.follow(context);
    draw();
  })
  .catch(() => fail("", "This page is shown by an MCP client, and found none."));
