// What the page and its host say to each other: MCP Apps of 2026-01-26, as JSON-RPC by postMessage.

const NOTE = "ui/notifications/";

const host = (() => {
  const waiting = new Map();
  const handlers = {};
  const SECONDS = 30;
  let number = 0;

  function send(message) {
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  /** Return what the host answers; it throws where the host refuses or says nothing. */
  function ask(method, params) {
    const id = ++number;
    return new Promise((answer, refuse) => {
      const late = setTimeout(() => {
        waiting.delete(id);
        refuse(new Error(`No answer within ${SECONDS} seconds.`));
      }, SECONDS * 1000);
      waiting.set(id, (message) => {
        clearTimeout(late);
        waiting.delete(id);
        if (message.error) refuse(new Error(message.error.message || "The client refused."));
        else answer(message.result || {});
      });
      send({ id, method, params });
    });
  }

  function tell(method, params) {
    send({ method, params });
  }

  // Some hosts wrap addEventListener and not onmessage.
  window.addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
    if (!message.method) {
      const answer = waiting.get(message.id);
      if (answer) answer(message);
      return;
    }
    const handler = handlers[message.method];
    if (handler) handler(message.params || {});
    if (message.id === undefined) return;
    if (handler || message.method === "ping") send({ id: message.id, result: {} });
    else send({ id: message.id, error: { code: -32601, message: "Method not found" } });
  });

  // A page that reports its size is not cut off; one that measures itself stretched never shrinks.
  let size = "";
  function measure() {
    const root = document.documentElement;
    const before = root.style.height;
    root.style.height = "max-content";
    const box = root.getBoundingClientRect();
    root.style.height = before;
    const found = { width: Math.ceil(window.innerWidth), height: Math.ceil(box.height) };
    if (size === JSON.stringify(found)) return;
    size = JSON.stringify(found);
    tell(NOTE + "size-changed", found);
  }

  let context = {};
  let capabilities = {};
  function follow(part) {
    context = { ...context, ...part };
    const root = document.documentElement;
    if (context.theme) root.dataset.theme = root.style.colorScheme = context.theme;
    for (const [name, value] of Object.entries(context.styles?.variables || {})) {
      if (name.startsWith("--") && value) root.style.setProperty(name, value);
    }
    const inset = context.safeAreaInsets;
    if (inset) {
      const sides = [inset.top, inset.right, inset.bottom, inset.left];
      document.body.style.padding = sides.map((side) => `${side || 0}px`).join(" ");
    }
  }

  return {
    on: (method, handler) => (handlers[method] = handler),
    ask,
    tell,
    follow,
    get context() {
      return context;
    },
    get canCall() {
      return Boolean(capabilities.serverTools);
    },
    get canBeLarge() {
      return (context.availableDisplayModes || []).includes("fullscreen");
    },

    /** Begin, with all handlers in place: a host may send what it has before it answers. */
    async begin() {
      const found = await ask("ui/initialize", {
        appInfo: { name: "smoc-contacts", version: "1" },
        appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
        protocolVersion: "2026-01-26",
      });
      capabilities = found.hostCapabilities || {};
      tell(NOTE + "initialized", {});
      let planned = 0;
      new ResizeObserver(() => {
        cancelAnimationFrame(planned);
        planned = requestAnimationFrame(measure);
      }).observe(document.body);
      return found.hostContext || {};
    },

    /** Return the structured answer of one of our tools; it throws with the server's sentence. */
    async call(name, given) {
      const result = await ask("tools/call", { name, arguments: given });
      if (!result.isError && result.structuredContent) return result.structuredContent;
      throw failure(result);
    },
  };
})();

/** Return the error that a failed call is: its text says what to do next. */
function failure(result) {
  const text = (result.content || []).filter((part) => part.type === "text");
  const error = new Error(text.map((part) => part.text).join("\n") || "There was no answer.");
  error.kind = result._meta?.["smoc-mcp/failure"] || "";
  return error;
}
