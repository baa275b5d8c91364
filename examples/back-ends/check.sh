#!/bin/sh
# Asks `hashgate serve` about files that have arrived, by curl: check.sh FILE...
# HASHGATE_URL is the server, HASHGATE_TOKEN a token of its --token-file, if it has one. Ends with status 1 if a file is held,
# and with 2 if there was no verdict.
url=${HASHGATE_URL:-http://127.0.0.1:8787}/v1/check
held=0
for path in "$@"; do
  head=$(curl --silent --show-error --max-time 60 --output /dev/null --dump-header - --data-binary "@$path" \
    --header "Expect:" --header "Content-Type: application/octet-stream" \
    ${HASHGATE_TOKEN:+--header "Authorization: Bearer $HASHGATE_TOKEN"} "$url")
  # Only the server's own answers have this header. A proxy's error page has none.
  case $(printf '%s' "$head" | tr -d '\r' | tr '[:upper:]' '[:lower:]' | sed -n 's/^x-hashgate-decision: //p') in
    upload) echo "$path: pass" ;;
    hold) echo "$path: hold"; held=1 ;;
    *) echo "$path: no verdict" >&2; exit 2 ;;
  esac
done
exit $held
