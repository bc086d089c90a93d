// An authorization server that nobody here wrote (npm's oidc-provider), set up
// as a test wants it. It listens on loopback only, on a free port, prints one
// JSON line with its address, then one line for each thing that happens to a
// token, and ends with its standard input.
//
// The one argument is a JSON object:
//   clients         registrations, as RFC 7591 names their members
//   accessLife      seconds an access token lives (600)
//   rotate          whether a refresh token is good for one use (true)
//   requirePKCE     whether a request without a challenge is refused (true)
//   path            the issuer's path, "" or "/tenant"
//   answerAfter     milliseconds between the work and the answer of the token
//                   endpoint, at most; drawn anew for each (0)

import http from 'node:http';

// The library talks to the console; standard output is for our lines alone.
for (const level of ['log', 'info', 'warn']) console[level] = (...words) => console.error(...words);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const {
  clients, accessLife = 600, rotate = true, requirePKCE = true, path = '', answerAfter = 0,
} = JSON.parse(process.argv[2]);
const { default: Provider } = await import('oidc-provider');

let answer;
const server = http.createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(origin + path, {
    clients: clients.map((client) => ({
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], application_type: 'native', ...client,
    })),
    scopes: ['openid', 'offline_access', 'profile'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['only for tests'] },
    pkce: { methods: ['S256'], required: () => requirePKCE },
    rotateRefreshToken: rotate,
    ttl: {
      AccessToken: accessLife, AuthorizationCode: 60, Grant: 86400, IdToken: 600, Interaction: 600, RefreshToken: 86400, Session: 86400,
    },
    features: {
      devInteractions: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true },
    },
    findAccount: (_, id) => ({
      accountId: id, claims: () => ({ sub: `id-of-${id}`, name: `Name of ${id}`, preferred_username: id }),
    }),
  });
  provider.on('grant.success', (ctx) => tell({ event: 'granted', grant: ctx.oidc.params.grant_type }));
  provider.on('grant.error', (ctx, error) => tell({
    event: 'refused', grant: ctx.oidc.params?.grant_type, error: error.error, why: error.error_detail ?? error.message,
  }));
  provider.on('grant.revoked', () => tell({ event: 'revoked' }));
  provider.on('server_error', (_, error) => tell({ event: 'broken', why: error.stack }));
  provider.use(async (ctx, next) => {
    await next();
    if (answerAfter > 0 && ctx.path.endsWith('/token')) {
      await new Promise((resolve) => { setTimeout(resolve, Math.random() * answerAfter); });
    }
  });
  const handle = provider.callback();
  answer = (request, response) => {
    if (request.url === `${path}/token`) {
      // Whether the answer went out whole, or the other side had gone.
      response.on('close', () => tell({
        event: response.writableFinished ? 'answered' : 'cut', status: response.statusCode, at: Date.now(),
      }));
    }
    // What a server in a folder is told by the program in front of it. The
    // document of RFC 8414 lies outside of that folder.
    const inserted = `/.well-known/oauth-authorization-server${path}`;
    if (request.url === inserted) request.url = `${path}/.well-known/openid-configuration`;
    if (path && request.url.startsWith(path)) {
      request.originalUrl = request.url;
      request.url = request.url.slice(path.length) || '/';
    }
    handle(request, response);
  };
  tell({ event: 'listening', url: origin + path });
});

process.stdin.on('end', () => process.exit(0)).resume();
