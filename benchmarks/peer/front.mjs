// The smallest http front that puts the peer's library on a port: two endpoints, an API key, JSON.
//
//   POST /setuplinks    setupLinkController.create
//   POST /connections   connectionAPIController.createSAMLConnection
//
// It adds nothing that the library does not do and leaves nothing out that it does.

import { createServer } from 'node:http';
import { timingSafeEqual } from 'node:crypto';
import saml from '@boxyhq/saml-jackson';

const port = Number(process.env.PEER_PORT);
const key = Buffer.from(`Bearer ${process.env.PEER_KEY}`);
const externalUrl = `http://127.0.0.1:${port}`;

const library = await (saml.default ?? saml)({
  externalUrl,
  samlPath: '/api/oauth/saml',
  samlAudience: externalUrl,
  noAnalytics: true,
  db: { engine: 'sql', type: process.env.PEER_TYPE, url: process.env.PEER_DATABASE },
  logger: { info() {}, warn: console.warn, error: console.error },
});

const routes = {
  'POST /setuplinks': (body) => library.setupLinkController.create({ ...body, service: 'sso' }),
  'POST /connections': (body) => library.connectionAPIController.createSAMLConnection(body),
};

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function authorize(request) {
  const given = Buffer.from(request.headers.authorization ?? '');
  if (given.length !== key.length || !timingSafeEqual(given, key)) {
    throw new Refused(401, 'unknown API key');
  }
}

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > 1024 * 1024) throw new Refused(413, 'too large');
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

async function answer(request) {
  if (request.url === '/health') return [200, { status: 'ok' }];
  const act = routes[`${request.method} ${request.url}`];
  if (!act) throw new Refused(404, 'no such endpoint');
  authorize(request);
  return [201, await act(await read(request))];
}

function send(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

const server = createServer((request, response) => {
  answer(request)
    .then(([status, value]) => send(response, status, value))
    .catch((error) => send(response, error.status ?? error.statusCode ?? 500, { message: error.message }));
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');

process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  library.close().finally(() => process.exit(0));
});
