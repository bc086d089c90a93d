// An authorization server that nobody here wrote (npm's oauth2-mock-server),
// which lets everybody in and can be told to answer oddly. It listens on
// loopback only, on a free port, prints one JSON line with its address, and
// ends with its standard input.
//
// Each line on standard input arms an odd answer, the next at that place (or,
// with "times", as many), and is answered with {"event":"armed"} once it holds:
//   {"at":"token","status":400,"body":{…}}     the whole answer
//   {"at":"token","without":["expires_in"],"with":{…}}
//   {"at":"userinfo", …}                        the same for the person
//   {"at":"revoke","status":503}
//   {"at":"authorize","without":["code"],"with":{"error":"…"}}  the redirect's query

import { createInterface } from 'node:readline';

for (const level of ['log', 'info', 'warn']) console[level] = (...words) => console.error(...words);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const { OAuth2Server } = await import('oauth2-mock-server');
const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
await server.start(0, '127.0.0.1');
server.issuer.url = `http://127.0.0.1:${server.address().port}`;

const armed = {};
const take = (at) => {
  const odd = armed[at];
  if (odd && --odd.times < 1) delete armed[at];
  return odd;
};
const change = (at) => (response) => {
  const odd = take(at);
  if (!odd) return;
  if (odd.status) response.statusCode = odd.status;
  if ('body' in odd) response.body = odd.body;
  for (const name of odd.without ?? []) delete response.body[name];
  Object.assign(response.body ?? {}, odd.with);
};
server.service.on('beforeResponse', change('token'));
server.service.on('beforeUserinfo', change('userinfo'));
server.service.on('beforeRevoke', change('revoke'));
server.service.on('beforeAuthorizeRedirect', ({ url }) => {
  const odd = take('authorize');
  for (const name of odd?.without ?? []) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(odd?.with ?? {})) url.searchParams.set(name, value);
});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const odd = { times: 1, ...JSON.parse(line) };
    armed[odd.at] = odd;
    tell({ event: 'armed' });
  })
  .on('close', () => process.exit(0));

tell({ event: 'listening', url: server.issuer.url });
