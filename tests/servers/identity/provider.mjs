// An OpenID provider for tests: one client for programs, one for people. Started by the fixture in crates/testkit; it serves the loopback address.
// Arguments: port, folder of the installed packages, id and secret of the client for programs, id of the client for people.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const [port, packages, serviceId, serviceSecret, webId] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${packages}/oidc-provider/lib/index.js`));

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: serviceId,
      client_secret: serviceSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'api',
    },
    // A native client may come back to any port of the loopback address. It has no secret: it proves itself with PKCE.
    {
      client_id: webId,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/sign-in/callback'],
      response_types: ['code'],
      scope: 'openid offline_access profile email api',
    },
  ],
  scopes: ['openid', 'offline_access', 'api'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  // The built-in page signs in anybody, under the name that is typed.
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, email: `${id}@example.org` }),
  }),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: true },
  },
  ttl: { ClientCredentials: 600, AccessToken: 600, IdToken: 600, Session: 3600, Interaction: 600, Grant: 3600, RefreshToken: 3600 },
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
});

provider.listen(Number(port), '127.0.0.1');
