// Numbers, times and words as the reader's language and zone write them; and how nodes are made.

const $ = (id) => document.getElementById(id);

/** Return a new element. What it holds is text or elements, never markup: strangers wrote some. */
function make(tag, given, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given || {})) {
    if (value === undefined || value === false) continue;
    if (name === "click") element.addEventListener("click", value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...inside.flat(Infinity).filter((part) => part || part === 0));
  return element;
}

const button = (words, click, look = "plain") =>
  make("button", { class: look, click, disabled: !host.canCall }, words);
const spaced = (name) => name.replaceAll("_", " ");

const say = {
  number: (value) => new Intl.NumberFormat(say.locale).format(value),
  share: (value) =>
    new Intl.NumberFormat(say.locale, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value),
  time: (text) => say.at(text, { dateStyle: "medium", timeStyle: "short" }),
  day: (text) => say.at(text, { dateStyle: "medium" }),
  at(text, how) {
    const time = new Date(text);
    return isNaN(time) ? text : write(time, { timeZone: host.context.timeZone, ...how });
  },
  get locale() {
    try {
      return Intl.getCanonicalLocales(host.context.locale)[0] || navigator.language;
    } catch {
      return navigator.language;
    }
  },

  /** Return a period as groups name it: it is one of the server's zone, and no moment. */
  period(unit, key) {
    const text = unit === "created_month" ? `${key}-01` : key;
    const day = new Date(`${text}T00:00:00Z`);
    if (isNaN(day)) return key;
    const how = unit === "created_month" ? { month: "short", year: "numeric" } : { dateStyle: "medium" };
    return write(day, { timeZone: "UTC", ...how });
  },

  count: (value, certainty) => `${certainty === "at_least" ? "≥ " : ""}${say.number(value)}`,
  certainty: (word) => CERTAINTY[word] || "",
};

/** Return a time in words, also where the host's language or zone is none that the browser knows. */
function write(time, how) {
  try {
    return new Intl.DateTimeFormat(say.locale, how).format(time);
  } catch {
    return new Intl.DateTimeFormat(undefined, { ...how, timeZone: undefined }).format(time);
  }
}

const CERTAINTY = {
  exact: "exact",
  exact_unless_deleted: "exact unless deleted",
  at_least: "at least",
};

const NAMES = {
  utm_campaign: "Campaign",
  utm_source: "Source",
  device: "Device",
  status: "Status",
  created_month: "month",
  created_week: "week",
  created_day: "day",
};
const named = (name) => NAMES[name] || spaced(name);

/** Return the filter that lists the people of a group: every dimension is one. */
function filterOf(by, value) {
  const [kind, question] = by.split(/:(.*)/s);
  if (!question) return { [kind]: value };
  const quoted = question.includes(":") ? `"${question.replaceAll('"', '""')}"` : question;
  return { [kind]: `${quoted}: ${value}` };
}

// Of these a contact may have several, and a filter that is there already would be overwritten.
const MANY = ["flow", "variant", "promo_presented", "promo_redeemed", "referral_campaign", "survey", "text"];

/** Return the filter of the part that groups are of: all of them are in it. */
function filterOfPart(part) {
  const time = part.proven_by ? "conversation_after" : "created_after";
  if (part.proven_since) return { [time]: part.proven_since };
  return part.proven_statuses ? { status: part.proven_statuses.join(",") } : {};
}

const isNone = (value) => value === "(none)";
const isRest = (value) => value === "(other)" || value === "(earlier)";

/** Return whom a part is of, and what is proven of it. */
function aboutPart(part, what) {
  if (!part.groups_certainty) return part.note || "";
  const certainty = CERTAINTY[part.groups_certainty];
  const many = say.number(part.grouped);
  if (part.proven_since) {
    const how = part.proven_by ? "last talked to" : "created";
    const rest = `Others are not ${what}: contacts may be missing.`;
    return `${many} ${how} since ${say.time(part.proven_since)}, ${certainty}. ${rest}`;
  }
  if (part.proven_statuses) {
    return `${many} of status ${part.proven_statuses.join(" or ")}, ${certainty}.`;
  }
  return `All ${many}, ${certainty}.`;
}
