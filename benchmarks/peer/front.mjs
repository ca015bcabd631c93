// The smallest http front that puts the peer's library on a port.
//
//   POST /setuplinks            setupLinkController.create                       API key, JSON
//   POST /connections           connectionAPIController.createSAMLConnection     API key, JSON
//   GET  /api/oauth/authorize   oauthController.authorize                        a redirect
//   POST /api/oauth/saml        oauthController.samlResponse                     a form; a redirect
//   POST /api/oauth/token       oauthController.token                            a form; JSON
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
  clientSecretVerifier: process.env.PEER_KEY,
  samlAudience: externalUrl,
  noAnalytics: true,
  db: { engine: 'sql', type: process.env.PEER_TYPE, url: process.env.PEER_DATABASE },
  logger: { info() {}, warn: console.warn, error: console.error },
});

const routes = {
  'POST /setuplinks': (body) => library.setupLinkController.create({ ...body, service: 'sso' }),
  'POST /connections': (body) => library.connectionAPIController.createSAMLConnection(body),
};

const open = {
  'GET /api/oauth/authorize': async (query) => redirect(await library.oauthController.authorize(query)),
  'POST /api/oauth/saml': async (form) => redirect(await library.oauthController.samlResponse(form)),
  'POST /api/oauth/token': async (form) => [200, await library.oauthController.token(form)],
};

// On SQLite the library has one connection to the database and begins transactions on it without waiting for
// the last one to end: two sign-ins at once fail. So they take turns. The driver of that database is
// synchronous: hardly anything is lost by that.
const inTurn = process.env.PEER_TYPE === 'sqlite';
let last = Promise.resolve();

function taking(act) {
  if (!inTurn) return act();
  const mine = last.then(act);
  last = mine.catch(() => {});
  return mine;
}

function redirect({ redirect_url: location, error }) {
  if (error || !location) throw new Refused(403, error ?? 'nowhere to go');
  return [302, null, location];
}

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
  return Buffer.concat(parts).toString('utf8');
}

async function answer(request) {
  if (request.url === '/health') return [200, { status: 'ok' }];
  const [path, query] = request.url.split('?', 2);
  const unguarded = open[`${request.method} ${path}`];
  if (unguarded) {
    const sent = request.method === 'GET' ? query : await read(request);
    return taking(() => unguarded(Object.fromEntries(new URLSearchParams(sent))));
  }
  const act = routes[`${request.method} ${path}`];
  if (!act) throw new Refused(404, 'no such endpoint');
  authorize(request);
  return [201, await act(JSON.parse(await read(request)))];
}

function send(response, status, value, location) {
  const body = value === null ? '' : JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...(location && { Location: location }),
  });
  response.end(body);
}

const server = createServer((request, response) => {
  answer(request)
    .then((sent) => send(response, ...sent))
    .catch((error) => send(response, error.status ?? error.statusCode ?? 500, { message: error.message }));
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');

process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  library.close().finally(() => process.exit(0));
});
