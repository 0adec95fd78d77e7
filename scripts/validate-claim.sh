#!/usr/bin/env bash
# Validates claims with ajv-cli and the published schema, without other code of this project.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
schema=$here/../schemas/eventdrivenservice.schema.json
ajv_cli='ajv-cli@5.0.0'

usage() {
  cat <<'HELP'
Usage: scripts/validate-claim.sh [--schema FILE] CLAIM…

Validates EventDrivenService claims, one per file, YAML or JSON, with ajv-cli and the published schema.
Reports the field, the problem and the allowed values. JSON Schema cannot express every rule, so
`eds validate` finds more, and also reports the line.

  --schema FILE   the schema to use (default: schemas/eventdrivenservice.schema.json)
  -h, --help      print this help

Exit status: 0 all valid, 1 invalid claims, 2 could not run or could not read a file.

Example: scripts/validate-claim.sh examples/*.yaml
HELP
}

fail() {
  echo "validate-claim: $*" >&2
  exit 2
}

claims=()
while [ $# -gt 0 ]; do
  case $1 in
    --schema)
      [ $# -ge 2 ] || fail "--schema needs a file"
      schema=$2
      shift
      ;;
    --schema=*) schema=${1#*=} ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      claims+=("$@")
      break
      ;;
    -*) fail "unknown option '$1'; see --help" ;;
    *) claims+=("$1") ;;
  esac
  shift
done
[ ${#claims[@]} -gt 0 ] || fail "no claims given; see --help"
[ -r "$schema" ] || fail "cannot read the schema $schema"
command -v node >/dev/null || fail "node is not installed"

# Prefers the installed ajv-cli of this project, then one on the PATH, then one from npm.
ajv=$here/../node_modules/.bin/ajv
if [ ! -x "$ajv" ] && ! ajv=$(command -v ajv); then
  ajv=$(npx --yes --package "$ajv_cli" -c 'command -v ajv') || fail "cannot get $ajv_cli: install it with npm install --global $ajv_cli"
fi

exec node "$here/validate-claim.mjs" "$ajv" "$schema" "${claims[@]}"
