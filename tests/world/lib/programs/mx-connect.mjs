// usage: mx-connect.mjs DOMAIN: where mx-connect gets to for the domain's mail, or why it stays at home, as JSON

import { createRequire } from 'node:module';

const mxConnect = createRequire('/opt/senders/')('mx-connect');

const checks = [];
const mtaSts = { enabled: true, logger: ({ mode, success }) => checks.push({ mode, success }) };
try {
    // 192.0.2.0/24, where this world lies, is reserved, and so not to be connected to unless asked for.
    const { hostname, socket } = await mxConnect({ target: process.argv[2], mtaSts });
    socket.end();
    console.log(JSON.stringify({ checks, hostname }));
} catch (error) {
    console.log(JSON.stringify({ checks, category: error.category, message: error.message }));
}
