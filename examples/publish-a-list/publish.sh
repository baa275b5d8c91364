#!/bin/sh
# Publishes the pictures of a folder as a signed list: publish.sh PICTURES PUBLIC_FOLDER
set -eu
pictures=$1
public=$2

# Once: the private key stays with you, the public key goes into the pages that follow the list.
[ -e list.key ] || hashgate keygen --out list.key --name curator.example

hashgate hash "$pictures" > list.csv
hashgate publish list.csv --dir "$public" --key list.key --name "Example list" --category "drawn pictures"
hashgate verify --manifest "$public/manifest.txt" --trust list.key.pub --dir "$public"
