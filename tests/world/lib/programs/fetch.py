"""Fetches with Python's ssl and http.client. Arguments: version, name, Host or "", how often."""

import base64
import http.client
import json
import ssl
import sys

version, name, host, times = sys.argv[1:]
context = ssl.create_default_context()
context.minimum_version = context.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
connection = http.client.HTTPSConnection(name, context=context, timeout=20)
answers = []
for _ in range(int(times)):
    connection.putrequest("GET", "/.well-known/mta-sts.txt", skip_host=True)
    connection.putheader("Host", host or name)
    connection.endheaders()
    if not answers:
        certificate = ssl.DER_cert_to_PEM_cert(connection.sock.getpeercert(binary_form=True))
        negotiated = connection.sock.version()
    response = connection.getresponse()
    answers.append([response.status, base64.b64encode(response.read()).decode()])
print(json.dumps({"version": negotiated, "group": None, "certificate": certificate, "answers": answers}))
