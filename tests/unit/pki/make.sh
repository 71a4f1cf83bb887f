#!/bin/sh
# Writes the certificates that test_certpair and others read, valid for 100 years. They are committed, so that the tests
# need no openssl; run this only to add one. The keys protect nothing.
set -eu
cd "$(dirname "$0")"
host=mta-sts.example.org
leaf="-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth"
p256="ec -pkeyopt ec_paramgen_curve:P-256"

# make NAME "ALGORITHM" "ISSUER" OPTIONS...: NAME.pem and NAME.key, self-signed when ISSUER is empty
make() {
	name=$1 algorithm=$2 issuer=${3:+-CA $3.pem -CAkey $3.key}
	shift 3
	# shellcheck disable=SC2086 # the words are options
	openssl req -x509 -config plain.cnf -nodes -days 36500 -subj "/CN=$name" -newkey $algorithm $issuer \
		-keyout "$name.key" -out "$name.pem" "$@" 2>/dev/null
}
printf '[req]\ndistinguished_name = name\n[name]\n' >plain.cnf # none of the system's extensions

ca="-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
# shellcheck disable=SC2086
{
	make root         "$p256" ""           $ca
	make intermediate "$p256" root         $ca
	make leaf         "$p256" intermediate $leaf -addext subjectAltName=DNS:$host,DNS:www.example.org
	make other        "$p256" intermediate $leaf -addext "subjectAltName=DNS:mta-sts.example.net"
	make wildcard     "$p256" ""           $leaf -addext "subjectAltName=DNS:*.example.org"
	make deep         "$p256" ""           $leaf -addext "subjectAltName=DNS:*.org,DNS:*.sub.example.org"
	make upper        "$p256" ""           $leaf -addext "subjectAltName=DNS:MTA-STS.Example.ORG"
	make ip           "$p256" ""           $leaf -addext "subjectAltName=IP:192.0.2.1,email:a@$host,URI:https://$host/"
	make nosan        "$p256" ""           $leaf -subj "/CN=$host"
	make plain        "$p256" ""           -addext subjectAltName=DNS:$host
	make selfca       "$p256" ""           -addext basicConstraints=CA:TRUE -addext subjectAltName=DNS:$host
	make client       "$p256" ""           -addext extendedKeyUsage=clientAuth -addext subjectAltName=DNS:$host
	make encipher     "$p256" ""           -addext keyUsage=keyEncipherment -addext subjectAltName=DNS:$host
	# Names of strangers, for test_chain: many, one with a NUL in it, and an issuer without a common name, with an escape.
	make many     "$p256" ""           $leaf -addext "subjectAltName=$(seq -f DNS:mail%03g.example.org -s , 100)"
	make nul      "$p256" ""           $leaf -addext "subjectAltName=DER:301882166d74612d7374732e6578616d706c652e6f726700782e"
	make escape   "$p256" ""           $leaf -addext subjectAltName=DNS:$host -subj "/O=An $(printf '\033')[31mExample"
	make p384  "ec -pkeyopt ec_paramgen_curve:P-384"     "" $leaf -addext subjectAltName=DNS:$host
	make p521  "ec -pkeyopt ec_paramgen_curve:P-521"     "" $leaf -addext subjectAltName=DNS:$host
	make k256  "ec -pkeyopt ec_paramgen_curve:secp256k1" "" $leaf -addext subjectAltName=DNS:$host
	make rsa512  rsa:512  "" $leaf -addext subjectAltName=DNS:$host
	make rsa1024 rsa:1024 "" $leaf -addext subjectAltName=DNS:$host
	make rsa2048 rsa:2048 "" $leaf -addext subjectAltName=DNS:$host
	make ed25519 ed25519  "" $leaf -addext subjectAltName=DNS:$host
	make ed448   ed448    "" $leaf -addext subjectAltName=DNS:$host
}
openssl dsaparam -genkey -noout -out dsa.key 2048 2>/dev/null
openssl req -x509 -config plain.cnf -days 36500 -subj /CN=dsa -key dsa.key -out dsa.pem

# What openssl writes around the blocks.
openssl x509 -in leaf.pem -text     >text.pem
openssl x509 -in intermediate.pem -text >>text.pem
{ openssl ecparam -name prime256v1; openssl ec -in leaf.key; } 2>/dev/null >sec1.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out encrypted.key
openssl ec -in leaf.key -aes128 -passout pass:secret -out encrypted-sec1.key 2>/dev/null
{ # the private part of one key, with the public part of another
	echo "-----BEGIN EC PRIVATE KEY-----"
	{ openssl ec -in other.key -outform DER | head -c -65; openssl ec -in leaf.key -pubout -outform DER | tail -c 65; } |
		base64 -w 64
	echo "-----END EC PRIVATE KEY-----"
} 2>/dev/null >mixed.key
openssl x509 -in leaf.pem -outform DER -out leaf.der
openssl x509 -in leaf.pem -trustout -addtrust serverAuth -out trusted.pem

rm -f plain.cnf root.key intermediate.key many.key nul.key escape.key # nothing is to be signed or served with these
chmod 644 ./*.pem ./*.key ./*.der
