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
The schema comes from the XRD in apis/definition.yaml or, with --from-cluster, from the CRD that
Crossplane created for the installed XRD.

  --from-cluster   read the CRD with kubectl, from its current context
  --output FILE    the file to write (default: schemas/eventdrivenservice.schema.json)
  -h, --help       print this help

Does not write a file that is up to date.
Exit status: 0 written or up to date, 2 could not run.

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

command -v kubectl >/dev/null || fail "kubectl is not installed, but --from-cluster needs it"
definition=$(kubectl get customresourcedefinition "$crd" --output json) ||
  fail "kubectl could not read the CRD $crd. Is the API installed in the cluster (kubectl apply -f apis/definition.yaml)?"
printf '%s' "$definition" | "$tsx" "$root/scripts/generate/publish.ts" --from-crd "$output"
