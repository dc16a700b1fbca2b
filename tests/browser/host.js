// A host for the tests: the official half of MCP Apps and the official MCP client. It does what a
// chat client does, writes down what the page asks of it, and can be told to misbehave.

import {
  AppBridge,
  PostMessageTransport,
  RESOURCE_MIME_TYPE,
  getToolUiResourceUri,
} from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";

const EXTENSION = "io.modelcontextprotocol/ui";
const TOOL = "contacts_dashboard";
const ME = { name: "test-host", version: "1" };
const CONTEXT = {
  theme: "light",
  locale: "en-US",
  timeZone: "UTC",
  displayMode: "inline",
  availableDisplayModes: ["inline", "fullscreen"],
};
const CAPABILITIES = { serverTools: {}, openLinks: {}, logging: {}, updateModelContext: { text: {} } };

let client, bridge, frame, asked, context;
const held = [];

const host = (window.host = {
  /** What the page asked for and said, in order; and what was delivered to it. */
  seen: {},
  /** What the page is told instead of an answer, where it calls a tool. */
  refusal: "",
  /** The tool whose calls wait, each until `release` names it by its number. */
  holding: "",
  /** Whether the page may have the display mode that it asks for. */
  yields: true,

  /** Call the tool and show its page, which is ready when this returns.
   *
   * `frame` is `same` for a page that has the sandbox's origin, or `opaque` for one that has none.
   * `hold` keeps back the tool's answer, until `result` is called. `early` delivers before the
   * handshake is answered, as some hosts do.
   */
  async show({ key, era, frame: kind, given = {}, context: more, capabilities, hold, early }) {
    asked = given;
    host.seen = { calls: [], sizes: [], modes: [], models: [], messages: [], links: [], errors: [] };
    client = new Client(ME, {
      capabilities: { extensions: { [EXTENSION]: { mimeTypes: [RESOURCE_MIME_TYPE] } } },
      versionNegotiation: { mode: era },
    });
    const requestInit = { headers: { "X-SMOC-Token": key } };
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href), { requestInit }));
    host.seen.version = client.getNegotiatedProtocolVersion();
    // Without this declaration hosts show no page at all.
    if (!client.getServerCapabilities().extensions?.[EXTENSION]) throw new Error("no apps are declared");
    const { tools } = await client.listTools();
    const tool = tools.find(({ name }) => name === TOOL);
    // First, as by hosts that have read it before: who is refused a call may ask nothing more.
    const { contents } = await client.readResource({ uri: getToolUiResourceUri(tool) });
    const answer = client.callTool({ name: TOOL, arguments: given });
    const page = contents[0];
    Object.assign(host, { mount: () => mount({ kind, tools, tool, more, capabilities, page, early }) });
    if (early) host.seen.result = await answer;
    await host.mount();
    if (early) return;
    await host.input();
    host.seen.result = await answer;
    if (!hold) await host.result();
  },

  /** Show the page anew, as when its message is scrolled back into sight, with what it had. */
  async remount() {
    await host.mount();
    await host.input();
    await host.result();
  },

  input: (given) => bridge.sendToolInput({ arguments: given ?? asked }),
  result: (instead) => bridge.sendToolResult(instead ?? host.seen.result),
  cancel: () => bridge.sendToolCancelled({ reason: "the user pressed stop" }),
  change: (part) => bridge.setHostContext((context = { ...context, ...part })),
  release: (number) => held[number](),
  teardown: () => bridge.teardownResource({}),

  /** Ask the page anything; return its answer, or the code of its refusal. */
  ask: (method, params = {}) =>
    bridge.request({ method, params }, z.looseObject({})).catch((error) => error.code),
});

/** Put the page into a sandbox; it has shaken hands when this returns. */
async function mount({ kind, tools, tool, more, capabilities, page, early }) {
  await open(kind);
  context = { ...CONTEXT, toolInfo: { tool }, ...more };
  // Without the client, for the bridge alone would forward the calls of any tool.
  bridge = new AppBridge(null, ME, capabilities ?? CAPABILITIES, { hostContext: context });
  listen(tools);
  const ready = new Promise((done) => (bridge.oninitialized = done));
  const transport = new PostMessageTransport(frame.contentWindow, frame.contentWindow);
  if (early) deliverBeforeAnswering(transport);
  await bridge.connect(transport);
  await bridge.sendSandboxResourceReady({ html: page.text, csp: page._meta.ui.csp });
  await ready;
  host.seen.app = { info: bridge.getAppVersion(), capabilities: bridge.getAppCapabilities() };
}

/** Put the sandbox, of an origin that is not this one's, where the last one was. */
async function open(kind) {
  frame?.remove();
  frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
  frame.src = `http://localhost:${location.port}/sandbox.html?${kind}`;
  const ready = new Promise((done) => {
    addEventListener("message", function heard({ source, data }) {
      if (source !== frame.contentWindow || !data?.method?.endsWith("/sandbox-proxy-ready")) return;
      removeEventListener("message", heard);
      done();
    });
  });
  document.body.append(frame);
  await ready;
}

function listen(tools) {
  const { seen } = host;
  bridge.onerror = (error) => seen.errors.push(String(error));
  bridge.onsizechange = (size) => {
    seen.sizes.push(size);
    frame.style.height = `${size.height}px`;
  };
  bridge.onrequestdisplaymode = async ({ mode }) => {
    seen.modes.push(mode);
    if (!host.yields) return { mode: context.displayMode };
    // The page is told in both ways, as real hosts do.
    queueMicrotask(() => host.change({ displayMode: mode }));
    return { mode };
  };
  bridge.onupdatemodelcontext = async (given) => (seen.models.push(given), {});
  bridge.onmessage = async (given) => (seen.messages.push(given), {});
  bridge.onopenlink = async (given) => (seen.links.push(given), {});
  bridge.oncalltool = async (given) => {
    const call = { ...given };
    seen.calls.push(call);
    if (host.holding === given.name) await new Promise((go) => held.push(go));
    if (host.refusal) throw new Error(host.refusal);
    const tool = tools.find(({ name }) => name === given.name);
    if (!(tool._meta?.ui?.visibility ?? ["model", "app"]).includes("app")) throw new Error("not for pages");
    return (call.result = await client.callTool(given));
  };
}

/** Deliver everything when the page has just said hello, and let the bridge answer afterwards. */
function deliverBeforeAnswering(transport) {
  async function heard(event) {
    if (event.source !== frame.contentWindow || event.data?.method !== "ui/initialize") return;
    removeEventListener("message", heard);
    event.stopImmediatePropagation();
    await host.input();
    await host.result();
    transport.onmessage(event.data);
  }
  // Before the transport listens, so that this one hears of it first.
  addEventListener("message", heard);
}
