#!/bin/bash
# usage: contrib/build/demo.sh
#
# Serves three demonstration domains on this machine, with certificates from a throw-away CA made for the occasion, and
# prints how to fetch their policies. Everything it makes is in build/demo. Ctrl-C or SIGTERM ends it.

set -eu
cd "$(dirname "$0")/../.."
server=$PWD/build/mta-stsd
demo=$PWD/build/demo
domains=(example.org example.net xn--bcher-kva.example)

# --- a root, an intermediate, and a certificate for each policy host: ECDSA P-256

# issue FOLDER/NAME SUBJECT ISSUER EXTENSION...: makes NAME.key and NAME.crt, signed by ISSUER, or by itself.
issue() {
	local name=$1 subject=$2 issuer=$3
	shift 3
	openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
	openssl req -new -key "$name.key" -subj "/CN=$subject" -out "$name.csr"
	printf '%s\n' "$@" >"$name.ext"
	if [ "$issuer" = "$name" ]; then
		openssl x509 -req -in "$name.csr" -signkey "$name.key" -days 30 -extfile "$name.ext" -out "$name.crt"
	else
		openssl x509 -req -in "$name.csr" -CA "$issuer.crt" -CAkey "$issuer.key" -CAcreateserial -days 30 \
		    -extfile "$name.ext" -out "$name.crt"
	fi
	rm "$name.csr" "$name.ext"
}

make_certificates() {
	local ca=$demo/ca domain host folder
	mkdir -p "$ca"
	issue "$ca/root" "Demonstration root" "$ca/root" \
	    "basicConstraints = critical, CA:TRUE" "keyUsage = critical, keyCertSign, cRLSign"
	issue "$ca/intermediate" "Demonstration intermediate" "$ca/root" \
	    "basicConstraints = critical, CA:TRUE, pathlen:0" "keyUsage = critical, keyCertSign, cRLSign"
	cp "$ca/root.crt" "$demo/ca.pem"
	for domain in "${domains[@]}"; do
		host=mta-sts.$domain
		folder=$demo/certs/$host
		mkdir -p "$folder"
		issue "$folder/leaf" "$host" "$ca/intermediate" "subjectAltName = DNS:$host" \
		    "basicConstraints = CA:FALSE" "extendedKeyUsage = serverAuth"
		cat "$folder/leaf.crt" "$ca/intermediate.crt" >"$folder/fullchain.pem"
		mv "$folder/leaf.key" "$folder/privkey.pem"
		rm "$folder/leaf.crt"
	done
}

# --- the configuration

# The first port from this one on where nobody answers.
free_port() {
	local port=$1
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((port + 1))
	done
	echo "$port"
}

write_configuration() {
	mkdir -p "$demo/acme"
	cat >"$demo/mta-stsd.ini" <<-END
		; Made by make run, and made anew by the next one.

		[server]
		listen       = 127.0.0.1:$https
		listen_acme  = 127.0.0.1:$acme
		acme_webroot = $demo/acme

		[defaults]
		certificate = $demo/certs/%h/fullchain.pem
		key         = $demo/certs/%h/privkey.pem

		[example.org]
		mode    = enforce
		mx      = mail1.example.org
		mx      = mail2.example.org
		max_age = 4w

		[example.net]
		mode    = testing
		mx      = *.mail.example.net
		max_age = 1d

		[xn--bcher-kva.example]
		mode    = none
		mx      = mail.example.org
		max_age = 1w
	END
}

say_how_to_fetch() {
	local domain host
	printf '\nThree policies are served. These work from any folder:\n\n'
	for domain in "${domains[@]}"; do
		host=mta-sts.$domain
		printf 'curl --resolve %s:%s:127.0.0.1 --cacert %q https://%s:%s/.well-known/mta-sts.txt\n' \
		    "$host" "$https" "$demo/ca.pem" "$host" "$https"
	done
	printf '\nCtrl-C ends it.\n\n'
}

# --- the server, as our child: its log passes through here until it has ended

umask 022
rm -rf "$demo"
mkdir -p "$demo"
make_certificates >"$demo/openssl.log" 2>&1 || { cat "$demo/openssl.log" >&2; exit 1; }
https=$(free_port 8443)
acme=$(free_port 8080)
[ "$acme" != "$https" ] || acme=$(free_port $((https + 1)))
write_configuration

state=starting
exec {log}< <(exec "$server" -c "$demo/mta-stsd.ini" 2>&1)
pid=$!
trap 'state=ending; kill -TERM "$pid" 2>/dev/null' INT TERM HUP
while IFS= read -r line <&"$log"; do
	printf '%s\n' "$line" >&2
	if [ "$state" = starting ] && [[ $line =~ msg=\"?ready([^[:alnum:]_]|$) ]]; then
		state=serving
		say_how_to_fetch
	fi
done
status=0
wait "$pid" || status=$?

case $state in
starting) echo "The server ended before it was ready (status $status)." >&2; exit 1 ;;
serving)  echo "The server ended (status $status)." >&2; exit 1 ;;
ending)   exit "$status" ;;
esac
