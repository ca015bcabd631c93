// An oidc-provider with its defaults, two signing keys, one person, and open registration of clients.
// Listens on PEER_PORT; PEER_SETTINGS is JSON that is laid over the configuration.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const { PEER_INSTALLED, PEER_PORT, PEER_SETTINGS } = process.env;
const home = pathToFileURL(`${PEER_INSTALLED}/node_modules/oidc-provider/lib/index.js`);
const { Provider } = await import(home);

const jwk = (kid, alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});

const provider = new Provider(`http://localhost:${PEER_PORT}`, {
  jwks: {
    keys: [
      jwk('rsa', undefined, 'rsa', { modulusLength: 2048 }),
      jwk('p256', 'ES256', 'ec', { namedCurve: 'P-256' }),
      jwk('ed', 'EdDSA', 'ed25519', {}),
    ],
  },
  cookies: { keys: [randomUUID()] },
  features: { registration: { enabled: true } },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  pkce: { required: () => true },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['given_name', 'family_name', 'name', 'locale', 'groups'],
  },
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({
      sub: login,
      email: `${login}@initech.example`,
      email_verified: true,
      given_name: 'Ada',
      family_name: 'Lovelace',
      name: 'Ada Lovelace',
      locale: 'en-GB',
      groups: ['Staff', 'Engineering'],
    }),
  }),
  ...JSON.parse(PEER_SETTINGS),
});

provider.listen(Number(PEER_PORT), '127.0.0.1');
