// usage: mailauth.mjs '{"domain": ..., "known": null or an id, "mx": [...]}': what mailauth makes of the domain, as JSON

import { createRequire } from 'node:module';

const { getPolicy, validateMx } = createRequire('/opt/senders/')('mailauth/lib/mta-sts');

const question = JSON.parse(process.argv[2]);
// A policy without expires: mailauth asks for its id, and fetches only when there is another.
const known = question.known && { id: question.known, mode: 'none', maxAge: 60 };
const { status, policy } = await getPolicy(question.domain, known);
const valid = Object.fromEntries(question.mx.map(mx => [mx, validateMx(mx, policy).valid]));
const error = policy.error && `${policy.error.code}: ${policy.error.message}`;
console.log(JSON.stringify({ status, policy, valid, error }));
