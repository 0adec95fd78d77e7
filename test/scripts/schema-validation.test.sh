#!/usr/bin/env bash
# The claims of test/fixtures/claims and the examples through the two scripts, from a folder that is not the project's.
# The first comments of each fixture list its expected findings: docs/validation.md
set -uo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
publish=$root/scripts/publish-schema.sh
validate=$root/scripts/validate-claim.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

passed=0
failed=0
pass() { passed=$((passed + 1)); }
fail() {
  failed=$((failed + 1))
  printf 'FAILED  %s\n' "$1"
  [ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/          /'
}

# expect STATUS TEXT COMMAND…: it ends with the status and says the text.
expect() {
  local status=$1 text=$2 output
  shift 2
  output=$("$@" 2>&1)
  local got=$?
  if [ "$got" = "$status" ] && [[ $output == *"$text"* ]]; then pass; else
    fail "${*/#$root\//}: expected status $status and '$text', got status $got and" "$output"
  fi
}

published=$root/schemas/eventdrivenservice.schema.json
expect 0 'Usage:' "$publish" --help
expect 0 'wrote' "$publish" --output own.json
expect 0 '' cmp own.json "$published"
expect 0 'up to date' "$publish" --output own.json
expect 2 "unknown argument '--nope'" "$publish" --nope
expect 2 'no such file or directory' "$publish" --output none/own.json

# Instead of kubectl, what Crossplane makes of the XRD: fields in alphabetical order, and its own beside ours.
mkdir bin
cat >bin/kubectl <<FAKE
#!/usr/bin/env bash
cd "$root" && exec node --input-type=module -e '
  import { readFileSync } from "node:fs"
  import { parse } from "yaml"
  const { group, claimNames: names, versions } = parse(readFileSync("apis/definition.yaml", "utf8"), { merge: true }).spec
  versions[0].schema.openAPIV3Schema.properties.spec.properties.compositionRef = { type: "object" }
  const sorted = value => Array.isArray(value) ? value.map(sorted) : value === null || typeof value !== "object" ? value
    : Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])]))
  console.log(JSON.stringify(sorted({ kind: "CustomResourceDefinition", spec: { group, names, versions } })))
'
FAKE
chmod +x bin/kubectl
PATH=$work/bin:$PATH expect 0 'up to date' "$publish" --from-cluster --output own.json
printf '#!/usr/bin/env bash\necho "not found" >&2; exit 1\n' >bin/kubectl
PATH=$work/bin:$PATH expect 2 'kubectl could not read the CRD' "$publish" --from-cluster --output own.json

least=$root/test/fixtures/claims/valid/least.yaml
wrong=$root/test/fixtures/claims/invalid/size-unknown.yaml
expect 0 'Usage:' "$validate" --help
expect 0 'valid' "$validate" "$least"
expect 0 'valid' "$validate" --schema own.json "$least"
expect 1 "spec.size: must be one of [micro, small, medium, large], got 'xlarge'" "$validate" "$wrong"
expect 1 'spec.nats.stream: required field missing' "$validate" "$root/test/fixtures/claims/invalid/nats-stream-missing.yaml"
expect 1 'spec.nats: required with runtime Deployment' "$validate" "$least" "$root/test/fixtures/claims/invalid/nats-missing.yaml"
expect 2 'no claims given' "$validate"
expect 2 "unknown option '--nope'" "$validate" --nope "$least"
expect 2 'cannot read the schema' "$validate" --schema none.json "$least"
expect 2 'is not a schema' "$validate" --schema "$least" "$least"
expect 2 'cannot be read: no such file' "$validate" none.yaml
expect 2 'cannot be read: it is a folder' "$validate" "$(mkdir folder.yaml && echo folder.yaml)"
expect 2 'must end with .yaml' "$validate" "$published.txt"
expect 2 'eds validate' "$validate" "$root/test/fixtures/claims/valid/several-claims.yaml"
cp "$wrong" 'a [b] c.yaml'
expect 1 'a [b] c.yaml  spec.size: must be one of' "$validate" 'a [b] c.yaml'
# One broken file takes nothing from the verdict on the others.
expect 2 "size-unknown.yaml  spec.size: must be one of" "$validate" none.yaml "$wrong"

# first_comments FILE: what it expects.
first_comments() { sed -n '/^#/!q; s/\r$//; p' "$1"; }

accepted=()
for file in "$root"/examples/*-claim.yaml "$root"/test/fixtures/claims/valid/*; do
  first_comments "$file" | grep -q '^# ajv: refuses' || accepted+=("$file")
done
verdicts=$("$validate" "${accepted[@]}" 2>&1)
for file in "${accepted[@]}"; do
  if grep -qxF "$file  valid" <<<"$verdicts"; then pass; else fail "${file#"$root"/} is valid" "$(grep -F "$file" <<<"$verdicts")"; fi
done
for file in "$root"/test/fixtures/claims/valid/*; do
  first_comments "$file" | grep -q '^# ajv: refuses' || continue
  if "$validate" "$file" >/dev/null 2>&1; then fail "${file#"$root"/} is accepted now: take the comment out"; else pass; fi
done

verdicts=$("$validate" "$root"/test/fixtures/claims/invalid/* 2>&1)
for file in "$root"/test/fixtures/claims/invalid/*; do
  said=$(grep -F "$file" <<<"$verdicts")
  complaint=
  if first_comments "$file" | grep -q '^# ajv: accepts'; then
    [ "$said" = "$file  valid" ] || complaint='is refused now: take the comment out'
  elif [ -z "$said" ] || [ "$said" = "$file  valid" ]; then
    complaint='is accepted'
  elif [[ $said == *" documents, but ajv-cli reads one"* || $said == *"got 'List'"* ]]; then
    : # Refused as a whole, whatever is in it.
  else
    while IFS= read -r line; do
      [[ $line =~ ^(.*)\ ?\[([A-Z_]+)\]\ ?(.*)$ ]] || continue
      path=${BASH_REMATCH[1]% }
      words=${BASH_REMATCH[3]}
      # The place of a mistake in YAML itself is a line, the schema does not know the platform, and a guess is not ajv's to make.
      [[ $line == *YAML_SYNTAX* || $line == *DUPLICATE_KEY* || $line == *UNSUPPORTED* ]] && continue
      [[ $words == *'did you mean'* ]] && words=
      sentence=$(grep -F "$file  $path: " <<<"$said")
      [[ -n $sentence && $sentence == *"$words"* ]] || complaint="does not say: $line"
    done < <(first_comments "$file" | sed -n 's/^# expect: //p')
  fi
  if [ -z "$complaint" ]; then pass; else fail "${file#"$root"/} $complaint" "$said"; fi
done

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
