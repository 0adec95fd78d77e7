#!/usr/bin/env bash
# Publishes the JSON Schema of the claim.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
output=$root/schemas/eventdrivenservice.schema.json
crd=eventdrivenservices.platform.bizmatters.io
from_cluster=

usage() {
  cat <<'HELP'
Usage: scripts/publish-schema.sh [--from-cluster] [--output FILE]

Writes the JSON Schema of an EventDrivenService, for editors, ajv and `eds validate --schema`.
It is extracted from apis/definition.yaml, the XRD, or with --from-cluster from the CRD that
Crossplane made of the XRD that is installed there.

  --from-cluster   ask kubectl for the CRD, in its current context
  --output FILE    where to write it (default: schemas/eventdrivenservice.schema.json)
  -h, --help       this text

A file that says the same already is left as it is.
Exit status: 0 written or up to date, 2 could not.

Example: scripts/publish-schema.sh --from-cluster --output /tmp/installed.schema.json
HELP
}

fail() {
  echo "publish-schema: $*" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --from-cluster) from_cluster=yes ;;
    --output)
      [ $# -ge 2 ] || fail "--output needs a file"
      output=$2
      shift
      ;;
    --output=*) output=${1#*=} ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "unknown argument '$1'; see --help" ;;
  esac
  shift
done
[ -n "$output" ] || fail "--output needs a file"

tsx=$root/node_modules/.bin/tsx
[ -x "$tsx" ] || fail "the dependencies are not installed: run npm ci in $root"

if [ -z "$from_cluster" ]; then
  exec "$tsx" "$root/scripts/generate/publish.ts" --from-xrd "$output"
fi

command -v kubectl >/dev/null || fail "kubectl is not installed, and --from-cluster asks it for the CRD"
definition=$(kubectl get customresourcedefinition "$crd" --output json) ||
  fail "kubectl did not give the CRD $crd; is the API installed there (kubectl apply -f apis/definition.yaml)?"
printf '%s' "$definition" | "$tsx" "$root/scripts/generate/publish.ts" --from-crd "$output"
