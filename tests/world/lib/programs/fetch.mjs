// Fetches with Node's https. Arguments: version, name, Host or "", how often, groups or "".

import https from 'node:https';

const [version, name, host, times, groups] = process.argv.slice(2);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const options = {
  agent, host: name, servername: /^[0-9.:]+$/.test(name) ? '' : name, path: '/.well-known/mta-sts.txt',
  headers: { Host: host || name },
  minVersion: `TLSv${version}`, maxVersion: `TLSv${version}`, ...(groups && { ecdhCurve: groups }),
};

const told = { answers: [] };

function fetch() {
  return new Promise((resolve, reject) => {
    https.get(options, (response) => {
      const { socket } = response;
      told.version = socket.getProtocol();
      told.group = socket.getEphemeralKeyInfo().name ?? null;
      told.certificate ??= socket.getPeerX509Certificate().toString(); // known at the first answer only
      response.setEncoding('base64');
      let body = '';
      response.on('data', (text) => { body += text; });
      response.on('end', () => resolve([response.statusCode, body]));
    }).on('error', reject);
  });
}

for (let i = 0; i < Number(times); i++)
  told.answers.push(await fetch());
agent.destroy();
console.log(JSON.stringify(told));
