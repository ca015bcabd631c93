// A receiver in Node that needs nothing but Node: WEBHOOK_SECRET=whsec_... PORT=8000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.WEBHOOK_SECRET;
const seen = new Set(); // A real receiver keeps both in its database.
const applied = new Map();

function check(body, header = "") {
  const parts = header.split(",").map((part) => part.trim().split("="));
  const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
  const genuine = parts
    .filter(([name]) => name === "v1")
    .map(([, hex]) => Buffer.from(hex ?? "", "hex"))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  if (!genuine) throw new Error("the signature is not genuine");
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) throw new Error("the signature is too old");
  return JSON.parse(body);
}

function take(event) {
  if (seen.has(event.id)) return;
  seen.add(event.id);
  const whose = event.organization_id ?? event.project_id;
  const late = event.sequence < (applied.get(whose) ?? 0);
  if (!late) applied.set(whose, event.sequence);
  console.log(`${late ? "late    " : "applied "} ${event.event} number ${event.sequence} of ${whose}`);
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let event;
  try {
    event = check(Buffer.concat(chunks), request.headers["authio-signature"]);
  } catch (problem) {
    console.log(`refused  ${problem.message}`);
    response.writeHead(400).end();
    return;
  }
  take(event);
  response.writeHead(204).end();
});
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`listening on port ${server.address().port}`);
});
